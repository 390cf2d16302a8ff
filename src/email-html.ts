import sanitize from 'sanitize-html'

const LENGTH = /^-?\d{1,4}(\.\d{1,3})?(px|em|rem|pt|%)?$/
const LENGTHS = /^(-?\d{1,4}(\.\d{1,3})?(px|em|rem|pt|%)?\s*){1,4}$/
const COLOR = /^(#[0-9a-f]{3,8}|[a-z]{3,30}|rgba?\([\d\s.,%/]{1,40}\)|hsla?\([\d\s.,%/]{1,40}\))$/i
const WORD = /^[a-z-]{1,30}$/i
const BORDER = /^[#\w\s.,()%-]{1,80}$/i
const boxes = (name: string) =>
  Object.fromEntries([name, ...['top', 'right', 'bottom', 'left'].map((side) => `${name}-${side}`)].map((each) => [each, [LENGTHS]]))
const borders = Object.fromEntries(['', '-top', '-right', '-bottom', '-left'].map((side) => [`border${side}`, [BORDER]]))

/** Nothing that moves an element out of its place, and nothing that fetches: no `url(`. */
const STYLES: Record<string, RegExp[]> = {
  color: [COLOR],
  'background-color': [COLOR],
  'font-family': [/^[\w\s'",-]{1,200}$/],
  'font-size': [LENGTH, WORD],
  'font-style': [WORD],
  'font-weight': [WORD, /^\d{3}$/],
  'line-height': [LENGTH, WORD],
  'text-align': [WORD],
  'text-decoration': [/^[a-z -]{1,40}$/i],
  'vertical-align': [WORD],
  'white-space': [WORD],
  'border-collapse': [WORD],
  'border-radius': [LENGTHS],
  width: [LENGTH],
  'max-width': [LENGTH],
  height: [LENGTH],
  ...boxes('padding'),
  ...borders,
}

const cell = ['colspan', 'rowspan', 'align', 'valign', 'width', 'height', 'bgcolor']

const OPTIONS: sanitize.IOptions = {
  allowedTags: [...sanitize.defaults.allowedTags, 'img', 'center', 'font', 'big', 'del', 'ins', 'strike'],
  allowedAttributes: {
    '*': ['style', 'dir', 'lang', 'title', 'align'],
    a: ['href', 'target', 'rel'],
    img: ['src', 'alt', 'width', 'height', 'referrerpolicy', 'loading'],
    table: ['width', 'border', 'cellpadding', 'cellspacing', 'bgcolor'],
    td: cell,
    th: cell,
    tr: ['align', 'valign', 'bgcolor'],
    col: ['span', 'width'],
    font: ['color', 'face', 'size'],
    ol: ['start', 'type'],
  },
  allowedStyles: { '*': STYLES },
  allowedSchemes: ['https', 'http', 'mailto', 'tel'],
  allowedSchemesByTag: { img: ['https', 'cid', 'data'] },
  allowProtocolRelative: false,
  nestingLimit: 200,
  transformTags: {
    a: (tagName, { href, ...rest }) => ({
      tagName,
      // A relative address would be one of ours. That of a template may begin with a variable: it is looked at again when that has its value.
      attribs: /^(https?:|mailto:|tel:|\{\{\w+\}\})/i.test(href?.trim() ?? '')
        ? { href: href ?? '', ...rest, target: '_blank', rel: 'noopener noreferrer' }
        : rest,
    }),
    img: (tagName, { src, ...rest }) => ({
      tagName,
      attribs:
        /^(https:|cid:|data:image\/(png|jpe?g|gif|webp);base64,|\{\{\w+\}\})/i.test(src?.trim() ?? '') && !isPixel(rest)
          ? { src: src ?? '', ...rest, referrerpolicy: 'no-referrer', loading: 'lazy' }
          : rest,
    }),
  },
  exclusiveFilter: ({ tag, attribs }) => tag === 'img' && attribs.src === undefined,
}

/** A picture that nobody can see reports that the mail was opened. */
function isPixel({ width, height, style = '' }: sanitize.Attributes): boolean {
  const tiny = (size: string | undefined, name: string) =>
    /^\s*[01](px)?\s*$/.test(size ?? new RegExp(`(?:^|[;\\s])${name}\\s*:\\s*([^;]*)`, 'i').exec(style)?.[1] ?? '')
  return tiny(width, 'width') || tiny(height, 'height') || /display\s*:\s*none|visibility\s*:\s*hidden/i.test(style)
}

/** The parser's time grows with the depth at each tag; no mail program nests so deep. */
const MAX_DEPTH = 1000

/**
 * HTML that can be shown without running, fetching or moving anything but what is in it: https and `cid:` pictures without a referrer, links
 * that open a tab of their own. null where nothing is left. Throws RangeError where elements are nested more than 1,000 deep.
 */
export function sanitizeEmailHtml(html: string): string | null {
  let depth = 0
  const clean = sanitize(html, {
    ...OPTIONS,
    onOpenTag() {
      if (++depth > MAX_DEPTH) throw new RangeError(`The HTML is nested more than ${MAX_DEPTH} deep.`)
    },
    onCloseTag() {
      depth--
    },
  }).trim()
  return clean === '' ? null : clean
}

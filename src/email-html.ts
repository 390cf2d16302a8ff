import sanitizeHtml from 'sanitize-html'

const LENGTH = [/^\d{1,4}(\.\d+)?(px|pt|em|rem|%)$/, /^0$/, /^auto$/]
const BOX = [/^(\d{1,4}(\.\d+)?(px|pt|em|rem|%)|0|auto)( (\d{1,4}(\.\d+)?(px|pt|em|rem|%)|0|auto)){0,3}$/]
const COLOR = [/^#[0-9a-f]{3,8}$/i, /^rgba?\([\d., %]+\)$/i, /^[a-z]{3,30}$/i]
const BORDER = [/^[\w#(),. %-]{1,60}$/]

/**
 * E-mail HTML with all taken out that runs, loads or submits something: what stays is text, its looks, links, and pictures by https, `data:`
 * or `cid:` (a file of the same e-mail). Links open in a new window and tell nobody where they were found.
 */
export const sanitizeEmailHtml = (html: string): string =>
  sanitizeHtml(html, {
    allowedTags: [...sanitizeHtml.defaults.allowedTags, 'img', 'center', 'font', 'del', 'ins', 'strike'],
    allowedAttributes: {
      '*': ['style', 'align', 'valign', 'dir', 'lang', 'title', 'width', 'height', 'bgcolor'],
      a: ['href', 'name', 'target', 'rel'],
      img: ['src', 'alt'],
      font: ['color', 'face', 'size'],
      table: ['border', 'cellpadding', 'cellspacing', 'role'],
      td: ['colspan', 'rowspan'],
      th: ['colspan', 'rowspan', 'scope'],
      ol: ['start', 'type'],
    },
    allowedSchemes: ['http', 'https', 'mailto', 'tel'],
    allowedSchemesByTag: { img: ['https', 'cid', 'data'] },
    allowProtocolRelative: false,
    allowedStyles: {
      '*': {
        color: COLOR,
        'background-color': COLOR,
        'font-size': LENGTH,
        'font-weight': [/^(bold|bolder|lighter|normal|[1-9]00)$/],
        'font-style': [/^(italic|normal|oblique)$/],
        'font-family': [/^[\w ,'"-]{1,200}$/],
        'line-height': [/^\d{1,3}(\.\d+)?(px|pt|em|%)?$/, /^normal$/],
        'text-align': [/^(left|right|center|justify|start|end)$/],
        'text-decoration': [/^(underline|line-through|none)$/],
        'vertical-align': [/^[a-z-]{1,15}$/],
        'white-space': [/^[a-z-]{1,15}$/],
        width: LENGTH,
        'max-width': LENGTH,
        height: LENGTH,
        margin: BOX,
        padding: BOX,
        border: BORDER,
        'border-top': BORDER,
        'border-bottom': BORDER,
        'border-left': BORDER,
        'border-radius': BOX,
        'border-collapse': [/^(collapse|separate)$/],
      },
    },
    transformTags: { a: sanitizeHtml.simpleTransform('a', { target: '_blank', rel: 'noopener noreferrer nofollow' }) },
  })

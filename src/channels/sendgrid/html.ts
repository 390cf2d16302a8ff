import { convert, type FormatCallback, type HtmlToTextOptions } from 'html-to-text'

/** Around the history that a mail program has marked as such, in `textOfHtml`; without an end it reaches to the end. Of a private use area: no text has them. */
export const HISTORY_BEGINS = '\u{F0000}'
const HISTORY_ENDS = '\u{F0001}'
export const MARKS = /[\u{F0000}\u{F0001}]/gu

export const withoutMarks = (text: string): string => text.replaceAll(MARKS, '')

/** Gmail, Yahoo and Proton; Outlook puts a mark between the answer and what follows. */
const HISTORY = ['div.gmail_quote', 'div.yahoo_quoted', 'div.protonmail_quote']
const HISTORY_FOLLOWS = ['div#divRplyFwdMsg', 'div#appendonsend']

const block =
  (transform: (text: string) => string): FormatCallback =>
  (element, walk, builder) => {
    builder.openBlock({ leadingLineBreaks: 1 })
    walk(element.children, builder)
    builder.closeBlock({ trailingLineBreaks: 1, blockTransform: transform })
  }

/** A longer text is cut anyway; behind `>` on every level it would grow without end. */
const MAX_CITED = 200_000

const behindBrackets = (text: string): string => (text.length > MAX_CITED ? text : text.replaceAll(/^/gm, '> '))

const TEXT_OPTIONS: HtmlToTextOptions = {
  wordwrap: false,
  limits: { maxInputLength: 4_000_000, maxDepth: 300, ellipsis: '' },
  selectors: [
    { selector: 'a', options: { hideLinkHrefIfSameAsText: true, noAnchorUrl: true, linkBrackets: ['<', '>'] } },
    { selector: 'img', format: 'skip' },
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
    ...HISTORY.map((selector) => ({ selector, format: 'history' })),
    ...HISTORY_FOLLOWS.map((selector) => ({ selector, format: 'historyFollows' })),
    // Apple Mail and Thunderbird.
    { selector: 'blockquote[type=cite]', format: 'citation' },
  ],
  formatters: {
    history: block((text) => `${HISTORY_BEGINS}${text}${HISTORY_ENDS}`),
    historyFollows: block((text) => `${HISTORY_BEGINS}${text}`),
    citation: block((text) => `${HISTORY_BEGINS}${behindBrackets(text)}${HISTORY_ENDS}`),
  },
}

/** The text of HTML, with HISTORY_BEGINS and HISTORY_ENDS around what it marks as quoted. */
export const textOfHtml = (html: string): string => convert(withoutMarks(html), TEXT_OPTIONS)

import { fileTypeFromBuffer } from 'file-type'

const UNKNOWN = 'application/octet-stream'

/** A media type with its parameters (RFC 9110, 8.3.1), in printable ASCII. */
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}( *;[\x20-\x7e]{1,200})?$/i

export const isMediaType = (text: string): boolean => MEDIA_TYPE.test(text)

/** Shorter names for what file-type calls by a name that providers do not take; an APNG is a PNG. */
const USUAL: Record<string, string> = { 'audio/x-m4a': 'audio/mp4', 'video/x-m4v': 'video/mp4', 'image/apng': 'image/png' }

/** Containers of which the first bytes do not tell what is inside: a declared type that lives in one is believed. */
const CONTAINERS: { found: RegExp; declared: RegExp }[] = [
  {
    found: /^application\/zip$/,
    declared: /zip|openxmlformats|opendocument|java-archive|android\.package|vnd\.apple\.|macroenabled|model\/3mf/,
  },
  { found: /^application\/x-cfb$/, declared: /msword|vnd\.ms-|visio|outlook|x-msi$/ },
  { found: /^application\/xml$/, declared: /^(application|text)\/(.+\+)?xml$/ },
  { found: /^(audio|video)\/(mp4|quicktime|3gpp2?)$/, declared: /^(audio|video)\/(mp4|m4a|x-m4a|aac|quicktime|3gpp2?)$/ },
  { found: /^(audio|video)\/(webm|(x-)?matroska)$/, declared: /^(audio|video)\/(webm|(x-)?matroska)$/ },
  { found: /^(audio|video|application)\/ogg/, declared: /^(audio|video)\/(ogg|opus)$/ },
]

/**
 * What a file is: its bytes decide where they tell (so that a program, HTML or SVG called a picture is stored as what it is), the declared type
 * where they do not. `declared` null or no media type: `application/octet-stream` unless the bytes tell.
 */
export async function trueContentType(bytes: Buffer, declared: string | null): Promise<string> {
  const claimed = declared !== null && isMediaType(declared.trim()) ? declared.trim() : UNKNOWN
  const essence = claimed.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const text = beginningOf(bytes)
  const markup = markupOf(text)
  if (markup !== null) return markup === essence || isXmlOf(essence, markup) ? claimed : markup
  // The two letters that some formats begin with begin words too ("BMW", "MZ").
  if (isTextual(essence) && !hasControls(text)) return claimed
  const sniffed = (await fileTypeFromBuffer(bytes))?.mime
  if (sniffed === undefined) return claimed
  const found = USUAL[sniffed] ?? sniffed
  if (found === essence || CONTAINERS.some((container) => container.found.test(found) && container.declared.test(essence))) {
    return USUAL[essence] ?? claimed
  }
  return found
}

const isTextual = (type: string): boolean => /^text\/|[/+](json|xml|yaml)$|^application\/(javascript|x-sh|x-yaml|sql|x-ndjson)$/.test(type)

const isXmlOf = (declared: string, markup: string): boolean =>
  markup === 'application/xml' && /^(application|text)\/(.+\+)?xml$/.test(declared) && declared !== 'application/xhtml+xml'

const LOOKED_AT = 4096

/** The beginning as a text, whatever it is; a UTF-16 text has to have its mark. */
function beginningOf(bytes: Buffer): string {
  const head = bytes.subarray(0, LOOKED_AT)
  if (head[0] === 0xff && head[1] === 0xfe) return new TextDecoder('utf-16le').decode(head)
  if (head[0] === 0xfe && head[1] === 0xff) return new TextDecoder('utf-16be').decode(head)
  return new TextDecoder('windows-1252').decode(head).replace(/^ï»¿/, '')
}

/** Binary formats have control characters in their first bytes, texts of any encoding have none. */
const hasControls = (text: string): boolean => /[^\P{Cc}\t\n\f\r\u0080-\u009f]/u.test(text)

/** Source of the tags: https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type */
const HTML_START =
  /^<(!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|meta|link|img|form|object|embed|base)[\s/>]/i

/** The type of a text that a browser would run as a page or a drawing; null for other texts. */
function markupOf(text: string): 'text/html' | 'image/svg+xml' | 'application/xml' | null {
  const start = text.replace(/^(\s|<!--[\s\S]*?-->)+/, '')
  if (HTML_START.test(start)) return 'text/html'
  if (!start.startsWith('<')) return null
  const body = start.replace(/<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!doctype[^[>]*(\[[\s\S]*?\])?\s*>|\s+/gi, ' ').trimStart()
  if (/^<([\w.-]+:)?svg[\s/>]/i.test(body)) return 'image/svg+xml'
  if (/^<([\w.-]+:)?html[\s/>]/i.test(body) || HTML_START.test(body)) return 'text/html'
  return start.startsWith('<?xml') ? 'application/xml' : null
}

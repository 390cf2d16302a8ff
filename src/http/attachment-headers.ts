const TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/

/** Pictures that can hold no script, unlike SVG. */
const SAFE_IMAGES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/bmp', 'image/heic', 'image/heif'])

/** The media type without parameters, in lower case; anything that is not one is `application/octet-stream`. */
export function servedContentType(stored: string | null): string {
  const type = (stored ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return TYPE.test(type) ? type : 'application/octet-stream'
}

/** Control characters, parts of a path, and marks that turn the reading direction: "a<U+202E>gnp.exe" reads as a picture's name. */
const UNSAFE = /[\p{Cc}\u202a-\u202e\u2066-\u2069\\/]/gu

/** Inline for what a browser shows without running it; all else is a download. The name is given twice, as RFC 6266, appendix D, advises. */
export function contentDisposition(contentType: string, filename: string | null): string {
  const disposition = isSafeInline(contentType) ? 'inline' : 'attachment'
  const name = (filename ?? '').toWellFormed().replace(UNSAFE, '_').trim()
  if (name === '') return disposition
  const ascii = name.replace(/[^\x20-\x7e]|["%]/gu, '_')
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  return `${disposition}; filename="${ascii}"; filename*=UTF-8''${encoded}`
}

function isSafeInline(contentType: string): boolean {
  if (SAFE_IMAGES.has(contentType) || contentType === 'application/pdf') return true
  return /^(audio|video)\//.test(contentType) && !contentType.endsWith('xml')
}

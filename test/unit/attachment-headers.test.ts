import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contentDisposition, servedContentType } from '../../src/http/attachment-headers.ts'

const UNSAFE = /[\p{Cc}\u202a-\u202e\u2066-\u2069\\/]/gu
const names = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('a"b', '..\\..\\x', 'a\r\nb: c', '%22', 'a\u202egnp.exe'),
)

test('any name gives a header that Node sends, of one line, that ends its quotes and says the name again in UTF-8', () => {
  fc.assert(
    fc.property(names, fc.constantFrom('image/png', 'text/html', 'application/octet-stream'), (name, type) => {
      const header = contentDisposition(type, name)
      const form = /^(inline|attachment)(?:; filename="([\x20-\x21\x23-\x7e]*)"; filename\*=UTF-8''([\w!#$&+.^`|~%-]+))?$/
      const [whole, disposition, ascii, encoded] = form.exec(header) ?? []
      expect(whole).toBe(header)
      expect(disposition).toBe(type === 'image/png' ? 'inline' : 'attachment')
      const shown = encoded === undefined ? '' : decodeURIComponent(encoded)
      expect(`${ascii ?? ''}${shown}`).not.toMatch(/[/\\\p{Cc}\u202a-\u202e]/u)
      expect(shown).toBe(name.toWellFormed().replace(UNSAFE, '_').trim())
    }),
    { numRuns: 500 },
  )
})

test('any type gives one media type without parameters', () => {
  fc.assert(
    fc.property(fc.option(names), (stored) => {
      expect(servedContentType(stored)).toMatch(/^[a-z0-9][^\s/;,"]*\/[a-z0-9][^\s/;,"]*$/)
    }),
  )
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isMediaType, trueContentType } from '../../src/domain/content-type.ts'

const hex = (bytes: string) => Buffer.from(bytes.replaceAll(' ', ''), 'hex')
const PNG = hex('89504e470d0a1a0a 0000000d49484452 0000000100000001 08060000001f15c489')
const JPEG = hex('ffd8ffe000104a464946')
const EXE = Buffer.from('MZ\u0090\u0000\u0003\u0000', 'latin1')
const ELF = hex('7f454c46020101')
const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
const mp4 = (brand: string) => Buffer.concat([hex('00000020'), Buffer.from(`ftyp${brand}`)])
const webm = hex('1a45dfa3 9f 4286810142f7810142f2810442f381084282847765626d')
const zip = hex('504b0304 1400 0000 0000')
const cfb = hex('d0cf11e0a1b11ae1')

describe('the bytes decide', () => {
  test.each([
    ['a picture by its right name', PNG, 'image/png', 'image/png'],
    ['a picture by another name', JPEG, 'image/png', 'image/jpeg'],
    ['a picture without a name', PNG, null, 'image/png'],
    ['a program called a picture', EXE, 'image/png', 'application/x-msdownload'],
    ['a program called a text', ELF, 'text/plain', 'application/x-elf'],
    ['HTML called a picture', Buffer.from('<!DOCTYPE html><html><script>1</script>'), 'image/png', 'text/html'],
    ['HTML called a text', Buffer.from('\ufeff \n<!-- a --><Script>alert(1)</script>'), 'text/plain', 'text/html'],
    ['HTML in UTF-16', Buffer.from('\ufeff<html><body onload=x>', 'utf16le'), 'image/jpeg', 'text/html'],
    ['HTML with bytes that are no UTF-8', Buffer.from('<html><p>\xe9\x00\xff', 'latin1'), 'image/png', 'text/html'],
    ['XHTML', Buffer.from('<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">'), 'application/xml', 'text/html'],
    ['SVG called a picture', Buffer.from(SVG), 'image/png', 'image/svg+xml'],
    [
      'SVG behind a declaration',
      Buffer.from(`<?xml version="1.0"?>\n<!-- x --><!DOCTYPE svg [<!ENTITY a "b">]>\n${SVG}`),
      'image/jpeg',
      'image/svg+xml',
    ],
    ['SVG called XML', Buffer.from(SVG), 'application/xml', 'image/svg+xml'],
    ['SVG with a prefix', Buffer.from('<s:svg xmlns:s="http://www.w3.org/2000/svg"/>'), 'text/plain', 'image/svg+xml'],
    ['sound in MP4, by what WhatsApp calls it', mp4('M4A '), 'application/octet-stream', 'audio/mp4'],
  ])('%s', async (_name, bytes, declared, found) => {
    expect(await trueContentType(bytes, declared)).toBe(found)
  })
})

describe('the declared type stays', () => {
  test.each([
    ['text/csv', Buffer.from('a,b\n1,2')],
    ['text/plain; charset=utf-8', Buffer.from('Grüße')],
    ['text/plain', Buffer.from('BMW fährt')],
    ['text/plain', Buffer.from('MZ is no program')],
    ['text/csv', Buffer.from('BMÜ;1', 'latin1')],
    ['application/json', Buffer.from('{"a":"<html>"}')],
    ['text/html', Buffer.from('<p>hello')],
    ['image/svg+xml', Buffer.from(SVG)],
    ['application/gpx+xml', Buffer.from('<?xml version="1.0"?><gpx/>')],
    ['audio/ogg; codecs=opus', Buffer.concat([Buffer.from('OggS'), Buffer.alloc(24), Buffer.from('OpusHead')])],
    ['audio/webm;codecs=opus', webm],
    ['audio/mp4', mp4('isom')],
    ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', zip],
    ['application/msword', cfb],
    ['application/x-own-format', hex('00010203')],
  ])('%s', async (declared, bytes) => {
    expect(await trueContentType(bytes, declared)).toBe(declared)
  })
})

test.each([null, '', 'picture', 'a/b\r\nset-cookie: x', 'text/\u0000'])(
  '%j is no media type: unknown bytes are unknown',
  async (declared) => {
    expect(await trueContentType(hex('00010203'), declared)).toBe('application/octet-stream')
  },
)

test('any bytes under any name end as a media type', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.option(fc.string()), async (bytes, declared) => {
      expect(isMediaType(await trueContentType(Buffer.from(bytes), declared))).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('a page stays a page, whatever it is called and whatever white space and comments stand before it', async () => {
  const before = fc.array(fc.constantFrom(' ', '\n', '\t', '<!-- x -->', '\r\n'), { maxLength: 6 }).map((parts) => parts.join(''))
  const page = fc.constantFrom('<html>', '<!doctype html>', '<script>x</script>', '<iframe src=x>', '<BODY onload=x>')
  const called = fc.constantFrom('image/png', 'text/plain', 'application/pdf', 'video/mp4', 'text/csv', 'application/json')
  await fc.assert(
    fc.asyncProperty(before, page, called, async (space, start, declared) => {
      expect(await trueContentType(Buffer.from(space + start), declared)).toBe('text/html')
    }),
  )
})

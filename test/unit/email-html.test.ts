import { describe, expect, test } from 'vitest'
import { sanitizeEmailHtml } from '../../src/email-html.ts'
import { htmlAttacks } from '../support/html-attacks.ts'

describe('what can harm is taken out', () => {
  // A browser's verdict on the same is in test/e2e/email-html.test.ts.
  test.each(htmlAttacks)('%s', (html) => {
    const clean = sanitizeEmailHtml(html) ?? ''
    expect(clean).not.toMatch(
      /<(script|style|iframe|object|embed|form|input|svg|math|link|meta|base|video)\b|alert\(1\)(?!&)|@import|\sid=|\sname=/i,
    )
    expect(sanitizeEmailHtml(clean) ?? '').toBe(clean)
  })

  test('a picture nobody can see', () => {
    for (const pixel of [
      '<img src="https://t.example/o" width=1 height=1>',
      '<img src="https://t.example/o" width="0">',
      '<img src="https://t.example/o" style="display:none">',
      '<img src="https://t.example/o" style="width:1px;height:1px">',
      '<img src="https://t.example/o" style="visibility: hidden">',
    ])
      expect(sanitizeEmailHtml(`<p>a</p>${pixel}`)).toBe('<p>a</p>')
  })
})

describe('what is shown', () => {
  test('text with its form', () => {
    const html =
      '<table width="600"><tbody><tr><td style="color:#333333;padding:4px 8px" colspan="2"><b>Hello</b> <i>Ada</i></td></tr></tbody></table>'
    expect(sanitizeEmailHtml(html)).toBe(html)
  })
  test('links open a tab of their own', () => {
    expect(sanitizeEmailHtml('<a href="https://example.com/?a=1&amp;b=2">x</a>')).toBe(
      '<a href="https://example.com/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">x</a>',
    )
    expect(sanitizeEmailHtml('<a href="mailto:ada@example.com">x</a>')).toContain('href="mailto:ada@example.com"')
  })
  test('pictures of the mail itself and from the web, without a referrer', () => {
    const clean = sanitizeEmailHtml('<img src="cid:a@b" alt="A"><img src="https://example.com/b.png" width="300">') ?? ''
    expect(clean).toContain('src="cid:a@b"')
    expect(clean).toContain('src="https://example.com/b.png"')
    expect(clean.match(/referrerpolicy="no-referrer"/g)).toHaveLength(2)
  })
  test('nothing, where nothing is left', () => {
    expect(sanitizeEmailHtml('<script>1</script>  ')).toBeNull()
  })
  test('deep pages, up to where no mail program goes', () => {
    const nested = (depth: number) => `${'<div>'.repeat(depth)}x${'</div>'.repeat(depth)}`
    const deep = sanitizeEmailHtml(nested(1000))
    expect(deep).toContain('x')
    expect(deep?.match(/<div>/g)?.length).toBeLessThanOrEqual(201)
    expect(() => sanitizeEmailHtml(nested(1001))).toThrow(RangeError)
    expect(() => sanitizeEmailHtml('<li><p>'.repeat(200_000))).toThrow(RangeError)
    expect(sanitizeEmailHtml('<p>x</p><br>'.repeat(5000))).toHaveLength(5000 * '<p>x</p><br />'.length)
  })
})

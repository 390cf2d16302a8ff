import { existsSync } from 'node:fs'
import fc from 'fast-check'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sanitizeEmailHtml } from '../../src/email-html.ts'
import { htmlAttacks } from '../support/html-attacks.ts'

const CHROMIUM = '/usr/bin/chromium'
const chromiumIsThere = existsSync(CHROMIUM)
if (!chromiumIsThere) console.warn(`The HTML of e-mails is not tried in a browser: there is no ${CHROMIUM}`)

const piece = fc.oneof(
  fc.constantFrom(...htmlAttacks),
  fc.constantFrom(
    '<',
    '>',
    '"',
    "'",
    '<!--',
    '-->',
    '</',
    '<p>',
    '</p>',
    '<table>',
    '<td>',
    '<a href="',
    '<img src="',
    '<svg>',
    '<math>',
    '</title>',
  ),
  fc.string({ maxLength: 10 }),
)
const mixtures = fc.sample(fc.array(piece, { maxLength: 8 }), { numRuns: 2000, seed: 3 }).map((pieces) => pieces.join(''))

/** Runs in the page: everything in the body that could run, fetch, or take the place of something else. */
function dangersIn(html: string): string[] {
  document.body.innerHTML = html
  const found: string[] = []
  for (const element of document.body.querySelectorAll('*')) {
    const name = element.localName
    if (element.namespaceURI !== 'http://www.w3.org/1999/xhtml') found.push(`${name} is no HTML`)
    if (
      /^(script|style|i?frame|object|embed|form|input|button|link|meta|base|video|audio|source|template|noscript|textarea|title)$/.test(
        name,
      )
    )
      found.push(name)
    for (const { name: attribute, value } of element.attributes)
      if (/^on|^(id|name|class|srcdoc|srcset|background|action|formaction|ping|poster|is|slot|data.*)$/.test(attribute))
        found.push(`${name} ${attribute}=${value}`)
    if (element instanceof HTMLElement && /url\(|position|z-index|behavior|@/i.test(element.style.cssText))
      found.push(element.style.cssText)
    if (element instanceof HTMLAnchorElement && element.hasAttribute('href')) {
      if (!/^(https?|mailto|tel):$/.test(element.protocol) || element.host === location.host) found.push(element.href)
      if (element.target !== '_blank' || element.rel !== 'noopener noreferrer') found.push('a link in place')
    }
    if (
      element instanceof HTMLImageElement &&
      (!/^(https:|cid:|data:image\/(png|jpe?g|gif|webp);)/.test(element.src) || element.referrerPolicy !== 'no-referrer')
    )
      found.push(element.outerHTML)
  }
  return found
}

describe.skipIf(!chromiumIsThere)('the HTML of an e-mail in a browser', () => {
  let browser: Browser
  let page: Page
  const happened: string[] = []

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    })
    page = await browser.newPage()
    await page.route('**', (route) => {
      const url = route.request().url()
      if (url === 'https://inbox.test/') return route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Inbox</title>' })
      happened.push(`fetched ${url}`)
      return route.abort()
    })
    page.on('dialog', (dialog) => {
      happened.push(`ran ${dialog.message()}`)
      return dialog.dismiss()
    })
    await page.goto('https://inbox.test/')
  })
  afterAll(() => browser?.close())

  test('would run and fetch what is not sanitized', async () => {
    const asked = page.waitForEvent('dialog')
    const fetched = page.waitForRequest('https://evil.example/a')
    await page.evaluate((html) => {
      document.body.innerHTML = html
    }, '<img src=x onerror=alert(1)><div style="background:url(https://evil.example/a)">x</div>')
    expect((await asked).message()).toBe('1')
    await fetched
    expect(await page.evaluate(dangersIn, '<p id=a><a href="/b">c</a></p>')).toHaveLength(3)
    happened.length = 0
  })

  test('none of them is left, nor of any mixture of them', async () => {
    const pages = [...htmlAttacks, ...mixtures].map((html) => ({ html, clean: sanitizeEmailHtml(html) ?? '' }))
    for (const { html, clean } of pages) expect(await page.evaluate(dangersIn, clean), html).toEqual([])
    expect(happened.filter((what) => !/^fetched https:/.test(what))).toEqual([])
  })
})

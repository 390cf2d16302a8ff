import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { type FakeTwilio, startFakeTwilio } from '../support/fake-twilio.ts'
import { followers } from '../support/live.ts'
import { SHARED_SETTINGS } from '../support/server-process.ts'
import { connect } from '../support/twilio-inbox.ts'

const CHROMIUM = '/usr/bin/chromium'
const chromiumIsThere = existsSync(CHROMIUM)
if (!chromiumIsThere) console.warn(`GraphiQL is not tried in a browser: there is no ${CHROMIUM}`)

const FIRST_OPERATIONS = [
  ...['Hello', 'Viewer', 'CommunicationReceived', 'CustomerProfile', 'CommunicationContent', 'CreateUpload', 'Templates', 'SyncTemplates'],
  ...['Appointments', 'ChannelAccounts', 'WebhookReceipts', 'StartWebchat'],
]

let app: TestApp
beforeAll(async () => {
  app = await startTestApp()
})
afterAll(() => app?.close())

describe.skipIf(!chromiumIsThere)('GraphiQL in a browser', () => {
  let browser: Browser
  let page: Page
  let fake: FakeTwilio
  const strayed: string[] = []
  const failures: string[] = []

  beforeAll(async () => {
    fake = await startFakeTwilio()
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    })
    page = await browser.newPage({ viewport: { width: 1400, height: 900 } })
    page.setDefaultTimeout(20_000)
    await page.route('**', (route) => {
      const url = route.request().url()
      if (url.startsWith(`${app.url}/`)) return route.continue()
      strayed.push(url)
      return route.abort()
    })
    page.on('pageerror', (error) => failures.push(error.message))
    await page.goto(`${app.url}/graphql`)
  })
  afterAll(async () => {
    await browser?.close()
    await fake?.close()
  })

  const tabs = () => page.locator('.graphiql-tab-button').allTextContents()
  // The editor writes no-break spaces.
  const response = async () => (await page.locator('.graphiql-response').textContent())?.replaceAll('\u00a0', ' ')

  // The tabs can be dragged, so a press that takes no time is not a click for them.
  const openTab = (name: string) =>
    eventually(async () => {
      await page.getByRole('button', { name, exact: true }).click({ delay: 50 })
      expect(await page.locator('.graphiql-tab-active .graphiql-tab-button').textContent()).toBe(name)
    })

  // Before the editor has read the tab's operations, the button offers no menu.
  const run = (operation: string) =>
    eventually(async () => {
      const item = page.getByRole('menuitem', { name: operation, exact: true })
      if (!(await item.isVisible())) await page.locator('.graphiql-execute-button').click({ timeout: 2_000 })
      await item.click({ timeout: 2_000 })
    })

  test('has the operations in tabs and is signed in', async () => {
    await page.locator('.graphiql-execute-button').waitFor()
    expect(await page.title()).toBe('Parley')
    await eventually(async () => expect(await tabs()).toEqual(FIRST_OPERATIONS))
    await openTab('Viewer')
    await run('Viewer')
    await eventually(async () => expect(await response()).toMatch(/"slug": "demo".*"name": "Demo Admin"/s))
  })

  test('shows InboxEvents arrive', async () => {
    const credentials = { sandbox: { authToken: fake.credentials.authToken } }
    const sms = await connect(app, { channel: 'SMS', name: 'Front desk', address: '+15005550010', credentials })
    await openTab('CommunicationReceived')
    await run('InboxEvents')
    await eventually(async () => expect(await followers(app)).toBe(1))
    await fake.inbound({ url: sms.webhookUrl, to: sms.address, from: '+905551170001', body: 'Is my permit ready?' })
    await eventually(async () => expect(await response()).toContain('"organizationUnreadCount": 1'))
  })

  test('is the same after a reload, and signed in', async () => {
    await page.goto(`${app.url}/graphql`)
    await page.locator('.graphiql-execute-button').waitFor()
    // GraphiQL names a tab after the operation that was run in it last, where it had the time to keep that.
    const kept = FIRST_OPERATIONS.map((name) =>
      name === 'CommunicationReceived' ? expect.stringMatching(/^(InboxEvents|CommunicationReceived)$/) : name,
    )
    await eventually(async () => expect(await tabs()).toEqual(kept))
    await openTab('Viewer')
    await run('Viewer')
    await eventually(async () => expect(await response()).toContain('"role": "ADMIN"'))
  })

  test('asks nobody but the server, and has no error of its own', () => {
    expect(strayed.filter((url) => !/^(blob|data):/.test(url))).toEqual([])
    expect(failures).toEqual([])
  })
})

/** As a browser asks for a page. */
async function pageOf(server: TestApp, headers: Record<string, string> = {}) {
  const [answer] = (await once(get(`${server.url}/graphql`, { headers: { accept: 'text/html', ...headers } }), 'response')) as [
    IncomingMessage,
  ]
  return { contentType: answer.headers['content-type'], body: await text(answer) }
}

const TOKEN = /eyJ[\w-]+\.[\w-]+\.[\w-]+/

test('the page holds a token for a person who opens it, not for a script of another site', async () => {
  expect((await pageOf(app, { 'sec-fetch-mode': 'navigate' })).body).toMatch(TOKEN)
  const { body, contentType } = await pageOf(app, {
    'sec-fetch-mode': 'cors',
    'sec-fetch-site': 'cross-site',
    origin: 'https://elsewhere.example',
  })
  expect(contentType).toMatch(/^text\/html/)
  expect(body).not.toMatch(TOKEN)
})

test.each([
  [{}, false],
  [{ GRAPHIQL: 'true' }, true],
])('in production with %o it is there: %s, and never with a token', async (settings, there) => {
  const production = await startTestApp({
    ...SHARED_SETTINGS,
    NODE_ENV: 'production',
    PUBLIC_URL: 'https://inbox.example',
    DATABASE_URL: app.databaseUrl,
    WORKER: 'off',
    ...settings,
  })
  const { body } = await pageOf(production)
  expect(body.includes('YogaGraphiQL')).toBe(there)
  expect(body).not.toMatch(TOKEN)
  await production.close()
})

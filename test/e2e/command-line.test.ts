import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  CommunicationsQueueDocument,
  ConversationThreadDocument,
  InboxDocument,
  SendabilityDocument,
  SendMessageDocument,
  ViewerDocument,
} from '../generated/graphql.ts'
import { SECRET, startTestApp, type TestApp } from '../support/app.ts'
import { childEnvironment } from '../support/child-environment.ts'
import { type Ended, runAlone, startCommands } from '../support/commands.ts'

let app: TestApp
let commands: ReturnType<typeof startCommands>

beforeAll(async () => {
  app = await startTestApp({ WORKER: 'off' })
  commands = startCommands(childEnvironment)
})
afterAll(async () => {
  commands.stop()
  await app.close()
})

/** The settings of the started app, or others. */
const environment = (settings: Record<string, string>): NodeJS.ProcessEnv => ({
  ...childEnvironment,
  NODE_ENV: 'test',
  DATABASE_URL: app.databaseUrl,
  DATA_DIR: app.deps.config.DATA_DIR,
  AUTH_JWT_SECRET: SECRET,
  PORT: new URL(app.url).port,
  PUBLIC_URL: app.url,
  ...settings,
})

const run = (script: string, args: string[], settings: Record<string, string> = {}): Promise<Ended> =>
  commands.run({ script, args, env: environment(settings) })

async function succeed(script: string, args: string[]): Promise<string> {
  return outputOf(await run(script, args))
}

/** The same in a process of its own, as npm runs it. */
async function succeedAlone(script: string, args: string[], settings: Record<string, string> = {}): Promise<string> {
  return outputOf(await runAlone({ script, args, env: environment(settings) }))
}

function outputOf({ code, stdout, stderr }: Ended): string {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

const communications = async () => (await app.request(CommunicationsQueueDocument, { first: 100 })).data?.communications.nodes ?? []

async function conversationWith(number: string) {
  const { data } = await app.request(InboxDocument, { filter: { search: number } })
  const [conversation] = data?.conversations.nodes ?? []
  if (conversation === undefined) throw new Error(`no conversation with ${number}`)
  return conversation
}

describe('help and mistakes', () => {
  test.each(['organization', 'token', 'simulate', 'reconcile'])('%s --help says how it is called', async (script) => {
    expect(await succeedAlone(script, ['--help'])).toMatch(new RegExp(`npm run ${script === 'token' ? '--silent token' : script} \\[?-- `))
  })

  test.each<[string, string[], Record<string, string>, RegExp]>([
    ['organization', [], {}, /create.*list/],
    ['organization', ['create', '--slug', 'acme'], {}, /--name/],
    ['organization', ['create', '--slug', 'demo', '--name', 'Again'], {}, /already.*"demo"/],
    ['organization', ['create', '--slug', 'A b', '--name', 'Acme'], {}, /slug/],
    ['organization', ['create', '--slug', 'acme', '--name', 'Acme', '--timezone', 'Mars/Base'], {}, /timezone/],
    ['reconcile', ['--organization', 'nowhere'], {}, /no organization "nowhere"/],
    ['token', ['--organization', 'nowhere', '--role', 'ADMIN'], {}, /no organization "nowhere"/],
    ['token', ['--organization', 'demo', '--role', 'OWNER'], {}, /role.*ADMIN, AGENT or VIEWER/],
    ['token', ['--organization', 'demo', '--role', 'ADMIN', '--expires', 'soon'], {}, /--expires.*"soon"/],
    ['token', ['--organization', 'demo', '--role', 'ADMIN', '--colour', 'red'], {}, /--colour/],
    [
      'token',
      ['--organization', 'demo', '--role', 'ADMIN'],
      { AUTH_JWT_SECRET: '', AUTH_JWKS_URL: 'https://id.example/jwks' },
      /AUTH_JWKS_URL/,
    ],
    ['token', ['--organization', 'demo', '--role', 'ADMIN'], { DATABASE_URL: 'postgresql://x@127.0.0.1:1/y' }, /DATABASE_URL/],
    ['simulate', ['fax'], {}, /"sms".*"status"/],
    ['simulate', ['sms', 'Hello'], {}, /--from/],
    ['simulate', ['sms', '--from', '+905551112233'], {}, /text.*--media/],
    ['simulate', ['sms', '--from', 'nobody at all!', 'Hello'], {}, /From is no address of SMS/],
    ['simulate', ['sms', '--from', '+905551112233', '--count', '0', 'Hello'], {}, /--count/],
    ['simulate', ['call', '--from', '+905551112233', '--status', 'ringing'], {}, /--status must be completed, no-answer/],
    ['simulate', ['call', '--from', '+905551112233', '--seconds', '-1'], {}, /--seconds/],
    ['simulate', ['sms', '--from', '+905551112233', '--to', '+15005550007', 'Hello'], {}, /no active SMS account.*\+15005550006/],
    ['simulate', ['sms', '--from', '+905551112233', '--organization', 'nowhere', 'Hello'], {}, /no organization "nowhere"/],
    ['simulate', ['sms', '--from', '+905551112233', 'Hello'], { PORT: '1' }, /127\.0\.0\.1:1.*PORT.*PUBLIC_URL/],
    ['simulate', ['sms', '--from', '+905551112233', 'Hello'], { PORT: 'four' }, /^parley: PORT: /],
    ['simulate', ['sms', '--from', '+905551112233', 'Hello'], { PUBLIC_URL: 'https://elsewhere.example' }, /403.*PUBLIC_URL/],
    ['simulate', ['stop', '--from', '+905551112233', '--channel', 'fax'], {}, /--channel/],
    ['simulate', ['status', '--communication', 'nonsense', '--status', 'read'], {}, /--communication/],
    ['simulate', ['status', '--communication', '01900000-0000-7000-8000-000000000000', '--status', 'read'], {}, /none of this id/],
  ])('%s %j with %j: one line, exit code 1', async (script, args, settings, message) => {
    const before = await communications()
    const { code, stdout, stderr } = await run(script, args, settings)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^parley: [^\n]+\n$/)
    expect(stderr).toMatch(message)
    expect(await communications()).toEqual(before)
  })
})

test('an organization is made and listed, and a token for it is accepted', async () => {
  await succeedAlone('organization', ['create', '--slug', 'acme', '--name', 'Acme Ltd', '--timezone', 'Europe/Istanbul'])
  expect(await succeedAlone('organization', ['list'])).toBe('acme\tAcme Ltd\tEurope/Istanbul\ndemo\tDemo\tUTC\n')
  const token = await succeedAlone('token', ['--organization', 'acme', '--role', 'agent', '--name', 'Ayşe', '--expires', 'never'])
  expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  const { data } = await app.request(ViewerDocument, {}, token.trim())
  expect(data?.viewer).toMatchObject({ role: 'AGENT', organization: { slug: 'acme' }, member: { name: 'Ayşe' } })
})

test('counts are compared, mended and told of, of all organizations or of one', async () => {
  expect(await succeedAlone('reconcile', [])).toBe('All counts are right.\n')
  await app.deps.pool.query(`UPDATE organization SET unread_count = unread_count + 7 WHERE slug = 'demo'`)
  expect(await succeed('reconcile', ['--organization', 'acme'])).toBe('All counts are right.\n')
  const { id } = await app.deps.db.organization.findUniqueOrThrow({ where: { slug: 'demo' } })
  const difference = JSON.parse(await succeed('reconcile', ['--organization', 'demo'])) as unknown
  expect(difference).toEqual({ count: 'organization', organizationId: id, id, kept: { unreadCount: 7 }, counted: { unreadCount: 0 } })
  expect(await succeed('reconcile', [])).toBe('All counts are right.\n')
})

test('without DATABASE_URL a command runs the embedded database, and ends it', async () => {
  const DATA_DIR = await mkdtemp(join(tmpdir(), 'parley-command-'))
  try {
    await succeedAlone('organization', ['create', '--slug', 'acme', '--name', 'Acme'], { DATABASE_URL: '', DATA_DIR })
    expect(await succeedAlone('organization', ['list'], { DATABASE_URL: '', DATA_DIR })).toBe('acme\tAcme\tUTC\n')
    expect(await readdir(join(DATA_DIR, 'postgres'))).not.toContain('postmaster.pid')
  } finally {
    await rm(DATA_DIR, { recursive: true })
  }
})

describe('a simulated customer', () => {
  test('a text message arrives through the graph, once for each MessageSid', async () => {
    const sms = ['sms', '--from', '+905551110001', '--message-sid', 'SM0000000000000000000000000000beef', 'Is my permit ready?']
    const first = await succeedAlone('simulate', sms)
    const again = await succeed('simulate', sms)
    const conversation = await conversationWith('+905551110001')
    expect(conversation).toMatchObject({ channel: 'SMS', unreadCount: 1, lastCommunication: { body: 'Is my permit ready?' } })
    expect(first).toContain(conversation.lastCommunication?.id)
    expect(first).not.toContain('nothing has changed')
    expect(again).toContain('nothing has changed')
    expect(again).toContain(conversation.lastCommunication?.id)
  })

  test('several messages, each its own', async () => {
    await succeed('simulate', ['sms', '--from', '+905551110002', '--count', '12', 'Hello?'])
    expect(await conversationWith('+905551110002')).toMatchObject({ unreadCount: 12 })
  })

  test('a WhatsApp message brings the profile name and its media', async () => {
    const media = ['--media', 'data:text/plain,Hello', '--media', 'data:image/png;base64,iVBORw0KGgo=']
    await succeed('simulate', ['whatsapp', '--from', '+905551110003', '--name', 'Ayşe Yılmaz', ...media, 'My papers'])
    const conversation = await conversationWith('+905551110003')
    expect(conversation).toMatchObject({ channel: 'WHATSAPP', customer: { name: 'Ayşe Yılmaz' } })
    const { data } = await app.request(ConversationThreadDocument, { id: conversation.id })
    const attachments = data?.conversation?.communications.edges[0]?.node.attachments
    expect(attachments?.map(({ contentType }) => contentType)).toEqual(['text/plain', 'image/png'])
  })

  test('a call is logged, missed or answered', async () => {
    const missed = await succeed('simulate', ['call', '--from', '+905551110006'])
    const answered = await succeed('simulate', ['call', '--from', '+905551110007', '--status', 'completed', '--seconds', '75'])
    const document = '{ communications(filter: { types: [CALL_LOG] }) { nodes { id direction call { outcome durationSeconds } } } }'
    const { data } = await app.request<{ communications: { nodes: { id: string }[] } }, object>(document, {})
    const nodes = data?.communications.nodes ?? []
    const [last, first] = nodes.map(({ id, ...rest }) => {
      expect(`${missed}${answered}`).toContain(id)
      return rest
    })
    expect(first).toEqual({ direction: 'INBOUND', call: { outcome: 'NO_ANSWER', durationSeconds: 0 } })
    expect(last).toEqual({ direction: 'INBOUND', call: { outcome: 'ANSWERED', durationSeconds: 75 } })
  })

  test('STOP opts out, START opts in again', async () => {
    const from = ['--from', '+905551110004', '--channel', 'whatsapp']
    const reasons = async () => {
      const { customer } = await conversationWith('+905551110004')
      const { data } = await app.request(SendabilityDocument, { customerId: customer.id })
      return Object.fromEntries(data?.customer?.sendability.map(({ channel, reason }) => [channel, reason ?? null]) ?? [])
    }
    await succeed('simulate', ['stop', ...from])
    expect(await reasons()).toEqual({ SMS: null, WHATSAPP: 'OPTED_OUT' })
    await succeed('simulate', ['start', ...from])
    expect(await reasons()).toEqual({ SMS: null, WHATSAPP: null })
  })
})

test('simulated receipts move a sent message forward, never back', async () => {
  const input = { to: { address: '+905551110005' }, channel: 'SMS' as const, content: { text: 'It is ready.' } }
  const { data } = await app.request(SendMessageDocument, { input })
  if (data?.sendMessage.__typename !== 'SendMessageSuccess') throw new Error(JSON.stringify(data))
  const { id } = data.sendMessage.communication
  const report = (status: string, ...more: string[]) =>
    succeed('simulate', ['status', '--communication', id, '--status', status, ...more]).then((line) => line.trim())
  expect(await report('failed', '--error-code', '30008')).toBe('200 OK: PENDING → FAILED')
  const [failed] = await communications()
  expect(failed).toMatchObject({ id, deliveryStatus: 'FAILED', failure: { code: '30008' } })
  expect(await report('delivered')).toBe('200 OK: FAILED → DELIVERED')
  expect(await report('sent')).toBe('200 OK: the message stays DELIVERED')
  const wrong = await run('simulate', ['status', '--communication', id, '--status', 'eaten'])
  expect(wrong).toMatchObject({ code: 1, stderr: 'parley: no delivery status is called "eaten"\n' })
})

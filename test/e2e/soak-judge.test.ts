import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { judgeCounters } from '../../scripts/soak/judge-counters.ts'
import { judgeInbound } from '../../scripts/soak/judge-inbound.ts'
import { judgeDelivery, judgeNotes, judgeSends } from '../../scripts/soak/judge-outbound.ts'
import { createLoad, type Load } from '../../scripts/soak/load.ts'
import { addOrganizations, type Organization } from '../../scripts/soak/organizations.ts'
import { createOutages } from '../../scripts/soak/outages.ts'
import { createRandom } from '../../scripts/soak/random.ts'
import type { Verdict } from '../../scripts/soak/verdict.ts'
import { createPost, META_APP, PUBLIC_URL } from '../../scripts/soak/webhooks.ts'
import { SECRET, startTestApp, type TestApp } from '../support/app.ts'

let app: TestApp
let load: Load
let organizations: Organization[]
/** One connection, so that what a test tampers with is rolled back. */
let pool: pg.Pool

beforeAll(async () => {
  app = await startTestApp({
    WORKER: 'off',
    PUBLIC_URL,
    META_APP_ID: META_APP.appId,
    META_APP_SECRET: META_APP.appSecret,
    META_VERIFY_TOKEN: META_APP.verifyToken,
  })
  pool = new pg.Pool({ connectionString: app.databaseUrl, max: 1, options: '-c timezone=UTC' })
  const [key] = app.deps.config.ENCRYPTION_KEY
  organizations = await addOrganizations(pool, 2, { encryptionKey: key?.toString('base64') ?? '', jwtSecret: SECRET })
  const ports = [Number(new URL(app.url).port)]
  const random = createRandom(7)
  const rates = { webhooks: 100, reads: 60, sends: 40, changes: 40 }
  const options = { ...rates, minutes: 1, sockets: 1, organizations: 2, seed: 7, data: null, report: null }
  load = await createLoad({ options, random, ports, post: createPost(ports, random), outages: createOutages(), organizations })
  const over = new AbortController()
  const loading = load.run(over.signal)
  while (load.inbound.size < 30 || load.sends.size < 10 || load.notes.size < 1) await new Promise((resolve) => setTimeout(resolve, 20))
  over.abort()
  await loading
})
afterAll(async () => {
  await pool.end()
  await app.close()
})

const judges = {
  inbound: () => judgeInbound(pool, load.inbound),
  sends: () => judgeSends(pool, load.sends),
  notes: () => judgeNotes(pool, load.notes),
  counters: () => judgeCounters(pool, organizations, load.ask, load.tallies.reads),
} satisfies Record<string, () => Promise<Verdict>>

const message = (direction: string) => `(SELECT id FROM communication WHERE direction = '${direction}' ORDER BY id LIMIT 1)`

const copied = (columns: string, values: string, direction: string) => `
  INSERT INTO communication (id, organization_id, customer_id, conversation_id, type, direction, body, created_at, ${columns})
  SELECT gen_random_uuid(), organization_id, customer_id, conversation_id, type, direction, body, created_at, ${values}
  FROM communication WHERE id = ${message(direction)}`

test.for(Object.keys(judges) as (keyof typeof judges)[])('a real load passes the judge of %s', async (name) => {
  expect((await judges[name]()).broken).toEqual([])
  expect(Object.values(load.tallies).map(({ failed }) => failed.unexpected.size)).toEqual([0, 0, 0, 0, 0])
})

test.for<[what: string, name: keyof typeof judges, sql: string, told: RegExp]>([
  ['a lost message', 'inbound', `DELETE FROM communication WHERE id = ${message('INBOUND')}`, /is lost/],
  ['a message that is there twice', 'inbound', copied('external_message_id', 'external_message_id', 'INBOUND'), /is there 2 times/],
  ['a message that nobody sent', 'inbound', copied('external_message_id', `'SM0'`, 'INBOUND'), /nobody sent it/],
  ['a request that was not kept', 'inbound', 'DELETE FROM webhook_receipt', /was not kept/],
  ['a webhook that was not understood', 'inbound', `UPDATE webhook_receipt SET status = 'UNPARSED'`, /UNPARSED/],
  ['a lost send', 'sends', `DELETE FROM communication WHERE id = ${message('OUTBOUND')}`, /was accepted, and is lost/],
  ['a send that nobody asked for', 'sends', copied('idempotency_key', `'another'`, 'OUTBOUND'), /nobody asked for it/],
  ['a lost note', 'notes', `DELETE FROM communication WHERE type = 'INTERNAL_NOTE'`, /is lost/],
  ['a note that is there twice', 'notes', copied('is_read', 'true', 'INTERNAL'), /is there 2 times/],
  ['an unread count', 'counters', 'UPDATE organization SET unread_count = unread_count + 1', /organizations’ unread count/],
  ['a customer’s unread count', 'counters', 'UPDATE customer SET unread_count = unread_count - 1', /customers’ unread count/],
  ['a conversation’s count', 'counters', 'UPDATE conversation SET outbound_count = outbound_count + 1', /unread, inbound and outbound/],
  ['the latest activity', 'counters', `UPDATE conversation SET last_activity_at = now() + interval '1 day'`, /latest communication/],
  ['a gap in the log', 'counters', 'DELETE FROM event WHERE seq = 2', /without a gap/],
  ['the statistics', 'counters', `UPDATE communication SET delivery_status = 'FAILED' WHERE direction = 'OUTBOUND'`, /failed, told are/],
])('%s breaks the promise', async ([, name, sql, told]) => {
  await pool.query('BEGIN')
  try {
    await pool.query(sql)
    expect((await judges[name]()).broken).toContainEqual(expect.stringMatching(told))
  } finally {
    await pool.query('ROLLBACK')
  }
})

test('a message that the provider took twice, one that stays PENDING and one whose receipt is lost break the promise', async () => {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM communication WHERE direction = 'OUTBOUND' AND delivery_status = 'PENDING' ORDER BY id LIMIT 3`,
  )
  const [once, twice, read] = rows.map(({ id }) => id)
  if (once === undefined || twice === undefined || read === undefined) throw new Error('the load has sent too little')
  const taken = { acceptedAt: Date.now(), answers: ['answered' as const], receipts: [] }
  const sent = new Map([
    [once, { ...taken, accepted: ['SM1'] }],
    [twice, { ...taken, accepted: ['SM2', 'SM3'] }],
    [read, { ...taken, accepted: ['SM4'], receipts: ['READ' as const] }],
  ])
  await pool.query('BEGIN')
  await pool.query(`UPDATE communication SET delivery_status = 'SENT' WHERE id = ANY($1)`, [[twice, read]])
  const [given, ended] = await judgeDelivery(pool, { url: '', sent, close: async () => undefined }, createOutages())
  await pool.query('ROLLBACK')
  expect(given?.broken).toEqual([`${twice} was accepted 2 times`])
  expect(ended?.broken).toContain(`${once} is PENDING: SENT is what the provider said (answered)`)
  expect(ended?.broken).toContain(`${read} is SENT: READ is what the provider said (answered)`)
  expect(ended?.broken).not.toContainEqual(expect.stringContaining(twice))
})

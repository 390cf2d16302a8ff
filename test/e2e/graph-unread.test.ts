import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  AddNoteDocument,
  AssignConversationDocument,
  InboxDocument,
  MarkReadDocument,
  type MarkReadTargetInput,
  SendMessageDocument,
  SetConversationStatusDocument,
  ViewerDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { type Line, openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'

const SEED = 20261121
const WORKERS = 12
const STEPS = 25
const CUSTOMERS = 6

let app: TestApp
let org: TestOrganization

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'unread' })
})
afterAll(() => app?.close())

/** mulberry32: the same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

type Row = Awaited<ReturnType<typeof inbox>>[number]
const inbox = async () => (await org.ask(InboxDocument, { first: 100 })).conversations.nodes
const markRead = async (target: MarkReadTargetInput) =>
  member((await org.ask(MarkReadDocument, { input: { target } })).markRead, 'MarkReadSuccess')

/** What one of the simultaneous workers does, one step after the other; sids are shared, so that duplicates meet. */
async function work(next: () => number, sids: Map<string, string>): Promise<void> {
  const pick = <T>(items: readonly T[]): T => present(items[Math.floor(next() * items.length)])
  const lines: Line[] = [org.sms, org.whatsapp]
  for (let step = 0; step < STEPS; step++) {
    const from = `+90555888000${Math.floor(next() * CUSTOMERS)}`
    const chance = next()
    if (chance < 0.45) {
      const line = pick(lines)
      const { sid } = await line.inbound(from, `step ${step}`)
      sids.set(sid, `${line.channel} ${from}`)
    } else if (chance < 0.55 && sids.size > 0) {
      const [MessageSid, place] = pick([...sids])
      const [channel, again = from] = place.split(' ')
      await (channel === 'SMS' ? org.sms : org.whatsapp).inbound(again, 'a duplicate', { MessageSid })
    } else {
      await disturb(chance, await inbox(), pick)
    }
  }
}

async function disturb(chance: number, rows: Row[], pick: <T>(items: readonly T[]) => T): Promise<void> {
  if (rows.length === 0) return
  const row = pick(rows)
  const conversationId = row.id
  if (chance < 0.63) await markRead({ customerId: row.customer.id })
  else if (chance < 0.71) await markRead({ conversationId })
  else if (chance < 0.8) await markRead({ communicationIds: rows.map(({ lastCommunication }) => present(lastCommunication).id) })
  else if (chance < 0.86) {
    const sent = await org.ask(SendMessageDocument, { input: { to: { conversationId }, content: { text: 'answer' } } })
    const { communication } = member(sent.sendMessage, 'SendMessageSuccess')
    const line = row.channel === 'SMS' ? org.sms : org.whatsapp
    await line.status(communication.externalMessageId ?? `SM${communication.id}`, 'delivered')
  } else if (chance < 0.92) await org.ask(AddNoteDocument, { input: { customerId: row.customer.id, conversationId, body: 'note' } })
  else if (chance < 0.96) await org.ask(SetConversationStatusDocument, { input: { conversationId, status: 'CLOSED' } })
  else await org.ask(AssignConversationDocument, { input: { conversationId, assigneeId: null } })
}

test(`after many simultaneous operations (seed ${SEED}) all counters agree with the rows and the log`, async () => {
  const sids = new Map<string, string>()
  await Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(random(SEED + worker), sids)))

  const { pool } = app.deps
  const { rows: wrong } = await pool.query(
    `SELECT 'conversation' AS noun, c.id, c.unread_count, count(m.id)::int AS counted FROM conversation c
       LEFT JOIN communication m ON m.conversation_id = c.id AND NOT m.is_read WHERE c.organization_id = $1 GROUP BY c.id
       HAVING c.unread_count <> count(m.id)
     UNION ALL
     SELECT 'messages of conversation', c.id, c.inbound_count + c.outbound_count, count(m.id)::int FROM conversation c
       LEFT JOIN communication m ON m.conversation_id = c.id AND m.type NOT IN ('INTERNAL_NOTE', 'CALL_LOG') WHERE c.organization_id = $1 GROUP BY c.id
       HAVING c.inbound_count <> count(m.id) FILTER (WHERE m.direction = 'INBOUND')
         OR c.outbound_count <> count(m.id) FILTER (WHERE m.direction = 'OUTBOUND')
     UNION ALL
     SELECT 'customer', c.id, c.unread_count, count(m.id)::int FROM customer c
       LEFT JOIN communication m ON m.customer_id = c.id AND NOT m.is_read WHERE c.organization_id = $1 GROUP BY c.id
       HAVING c.unread_count <> count(m.id)
     UNION ALL
     SELECT 'organization', o.id, o.unread_count, count(m.id)::int FROM organization o
       LEFT JOIN communication m ON m.organization_id = o.id AND NOT m.is_read WHERE o.id = $1 GROUP BY o.id
       HAVING o.unread_count <> count(m.id)`,
    [org.id],
  )
  expect(wrong).toEqual([])

  const { rows: stray } = await pool.query(
    `SELECT id FROM communication WHERE organization_id = $1 AND NOT is_read AND direction <> 'INBOUND'`,
    [org.id],
  )
  expect(stray).toEqual([])
  const inbound = await app.deps.db.communication.count({ where: { organizationId: org.id, direction: 'INBOUND' } })
  expect(inbound).toBe(sids.size)
  expect(inbound).toBeGreaterThan(100)
  expect((await inbox()).length).toBe(CUSTOMERS * 2)
  await replay()

  const rows = await inbox()
  const total = rows.reduce((sum, row) => sum + row.unreadCount, 0)
  expect((await org.ask(ViewerDocument)).viewer.unreadCount).toBe(total)
  for (const row of rows) await markRead({ customerId: row.customer.id })
  expect((await org.ask(ViewerDocument)).viewer.unreadCount).toBe(0)
  expect((await inbox()).every(({ unreadCount }) => unreadCount === 0)).toBe(true)
})

type UnreadEvent = { seq: string; at: string; customerId: string; customerCount: number; organizationCount: number }

/** Adds up the counts in the log: each event's must be the sum of all customers' at its place, or at its transaction's end. */
async function replay(): Promise<void> {
  const { rows: gaps } = await app.deps.pool.query(
    `SELECT o.event_seq, count(e.seq), min(e.seq), max(e.seq) FROM organization o JOIN event e ON e.organization_id = o.id WHERE o.id = $1
     GROUP BY o.id HAVING count(e.seq) <> o.event_seq OR min(e.seq) <> 1 OR max(e.seq) <> o.event_seq`,
    [org.id],
  )
  expect(gaps, 'numbers without gaps').toEqual([])
  const { rows: events } = await app.deps.pool.query<UnreadEvent>(
    `SELECT seq, occurred_at::text AS at, customer_id AS "customerId", (data->>'customerUnreadCount')::int AS "customerCount",
       (data->>'organizationUnreadCount')::int AS "organizationCount"
     FROM event WHERE organization_id = $1 AND type = 'UNREAD_COUNT_CHANGED' ORDER BY seq`,
    [org.id],
  )
  const counts = new Map<string, number>()
  const sums = events.map(({ customerId, customerCount }) => {
    counts.set(customerId, customerCount)
    return [...counts.values()].reduce((sum, count) => sum + count, 0)
  })
  const implausible = events.filter(({ at, organizationCount, customerCount }, index) => {
    let end = index
    while (events[end + 1]?.at === at && Number(events[end + 1]?.seq) === Number(events[end]?.seq) + 1) end++
    return customerCount < 0 || !sums.slice(index, end + 1).includes(organizationCount)
  })
  expect(implausible).toEqual([])
}

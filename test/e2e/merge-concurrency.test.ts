import { afterAll, beforeAll, expect, test } from 'vitest'
import { globalId } from '../../schema/global-id.ts'
import { UserError } from '../../src/domain/errors.ts'
import { mergeCustomers } from '../../src/domain/merge-customers.ts'
import { unmergeCustomers } from '../../src/domain/unmerge-customers.ts'
import { ConversationThreadDocument, MarkReadDocument, SendMessageDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'

let app: TestApp
let org: TestOrganization

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'merging-while' })
})
afterAll(() => app?.close())

const actor = () => ({ organizationId: org.id, memberId: null })

const holderOf = async (value: string): Promise<string> =>
  (await app.deps.db.customerIdentity.findFirstOrThrow({ where: { organizationId: org.id, value } })).customerId

/** Resolves when so many statements wait for a lock. */
const waiting = (count: number) =>
  eventually(async () => {
    const { rows } = await app.deps.pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    if ((rows[0]?.n ?? 0) < count) throw new Error(`${rows[0]?.n} of ${count} wait`)
  })

/** Lets `first` run up to its last lock, the organization's, and `second` up to one of the first's; then both go on. */
async function meeting(first: () => Promise<unknown>, second: () => Promise<unknown>): Promise<void> {
  const gate = await app.deps.pool.connect()
  await gate.query('BEGIN')
  await gate.query('SELECT FROM organization WHERE id = $1 FOR UPDATE', [org.id])
  const one = first()
  await waiting(1)
  const two = second()
  await waiting(2)
  await gate.query('COMMIT')
  gate.release()
  await Promise.all([one, two])
}

const strays = async () =>
  (
    await app.deps.pool.query(
      `SELECT 'of a merged customer' AS wrong, m.id FROM communication m JOIN customer u ON u.id = m.customer_id
         WHERE m.organization_id = $1 AND u.merged_into_id IS NOT NULL
       UNION ALL
       SELECT 'in a merged conversation', m.id FROM communication m JOIN conversation c ON c.id = m.conversation_id
         WHERE m.organization_id = $1 AND c.merged_into_id IS NOT NULL
       UNION ALL
       SELECT 'customer counts', u.id FROM customer u LEFT JOIN communication m ON m.customer_id = u.id AND NOT m.is_read
         WHERE u.organization_id = $1 GROUP BY u.id HAVING u.unread_count <> count(m.id)
       UNION ALL
       SELECT 'conversation counts', c.id FROM conversation c LEFT JOIN communication m ON m.conversation_id = c.id
         WHERE c.organization_id = $1 GROUP BY c.id
         HAVING c.inbound_count <> count(m.id) FILTER (WHERE m.direction = 'INBOUND') OR c.unread_count <> count(m.id) FILTER (WHERE NOT m.is_read)
       UNION ALL
       SELECT 'organization counts', o.id FROM organization o LEFT JOIN communication m ON m.organization_id = o.id AND NOT m.is_read
         WHERE o.id = $1 GROUP BY o.id HAVING o.unread_count <> count(m.id)`,
      [org.id],
    )
  ).rows

test('a message that arrives while its customer is being merged is the survivor’s, and so is the next', async () => {
  const [staying, leaving] = ['+905553000001', '+905553000002']
  await org.sms.inbound(staying, 'stays')
  await org.sms.inbound(leaving, 'leaves')
  const [survivorId, mergedId] = [await holderOf(staying), await holderOf(leaving)]
  await meeting(
    () => mergeCustomers(app.deps, actor(), { survivorId, mergedId }),
    () => org.sms.inbound(leaving, 'while merging'),
  )
  await org.sms.inbound(leaving, 'afterwards')
  const said = await app.deps.db.communication.findMany({
    where: { customerId: survivorId },
    orderBy: { id: 'asc' },
    select: { body: true },
  })
  expect(said.map(({ body }) => body)).toEqual(['stays', 'leaves', 'while merging', 'afterwards'])
  expect(await strays()).toEqual([])
})

test('an answer to a customer who is being merged is the survivor’s', async () => {
  const [staying, leaving] = ['+905553000005', '+905553000006']
  await org.sms.inbound(staying, 'stays')
  await org.sms.inbound(leaving, 'leaves')
  const [survivorId, mergedId] = [await holderOf(staying), await holderOf(leaving)]
  const conversation = await app.deps.db.conversation.findFirstOrThrow({ where: { customerId: mergedId } })
  const send = async (to: { conversationId: string } | { customerId: string }) => {
    const { sendMessage } = await org.ask(SendMessageDocument, { input: { to, content: { text: 'an answer' } } })
    expect(sendMessage.__typename).toBe('SendMessageSuccess')
  }
  await meeting(
    () => mergeCustomers(app.deps, actor(), { survivorId, mergedId }),
    () => send({ conversationId: globalId('Conversation', conversation.id) }),
  )
  await send({ conversationId: globalId('Conversation', conversation.id) })
  await send({ customerId: globalId('Customer', mergedId) })
  const said = await app.deps.db.communication.findMany({ where: { body: 'an answer', organizationId: org.id } })
  expect(said.map(({ customerId, address }) => [customerId, address])).toEqual(Array(3).fill([survivorId, leaving]))
  expect(await strays()).toEqual([])
  const thread = await org.ask(ConversationThreadDocument, { id: globalId('Conversation', conversation.id) })
  expect(thread.conversation?.communications.edges).toHaveLength(5)
  const target = { conversationId: globalId('Conversation', conversation.id) }
  const { markRead } = await org.ask(MarkReadDocument, { input: { target } })
  expect(markRead).toMatchObject({ markedCount: 2 })
})

test('a message that arrives while a merge is undone is not lost', async () => {
  const [staying, leaving] = ['+905553000003', '+905553000004']
  await org.sms.inbound(staying, 'stays')
  await org.whatsapp.inbound(leaving, 'leaves')
  const [survivorId, mergedId] = [await holderOf(staying), await holderOf(leaving)]
  const { id: mergeId } = await mergeCustomers(app.deps, actor(), { survivorId, mergedId })
  await meeting(
    () => unmergeCustomers(app.deps, actor(), { mergeId }),
    () => org.whatsapp.inbound(leaving, 'while parting'),
  )
  const where = { organizationId: org.id, body: 'while parting' }
  expect([survivorId, mergedId]).toContain((await app.deps.db.communication.findFirstOrThrow({ where })).customerId)
  expect(await strays()).toEqual([])
})

test('merging and undoing at random while messages arrive loses none', async () => {
  const numbers = ['+905553000011', '+905553000012', '+905553000013', '+905553000014']
  for (const number of numbers) await org.sms.inbound(number, 'first of storm')
  let writing = true
  const write = async (number: string) => {
    for (let n = 0; n < 15; n++) await (n % 3 === 0 ? org.whatsapp : org.sms).inbound(number, `word ${n} of storm`)
  }
  const disturb = async () => {
    for (let n = 0; writing; n++) {
      const [survivorId, mergedId] = [await holderOf(numbers[n % 4] ?? ''), await holderOf(numbers[(n * 3 + 1) % 4] ?? '')]
      try {
        const { id: mergeId } = await mergeCustomers(app.deps, actor(), { survivorId, mergedId })
        if (n % 2 === 0) await unmergeCustomers(app.deps, actor(), { mergeId })
      } catch (error) {
        if (!(error instanceof UserError)) throw error
      }
    }
  }
  const disturbed = disturb()
  await Promise.all(numbers.map(write)).finally(() => {
    writing = false
  })
  await disturbed
  expect(await app.deps.db.communication.count({ where: { organizationId: org.id, body: { endsWith: 'of storm' } } })).toBe(64)
  expect(await strays()).toEqual([])
})

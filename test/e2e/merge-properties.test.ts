import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { globalId } from '../../schema/global-id.ts'
import { UserError } from '../../src/domain/errors.ts'
import { mergeCustomers } from '../../src/domain/merge-customers.ts'
import { setConsent } from '../../src/domain/set-consent.ts'
import { unmergeCustomers } from '../../src/domain/unmerge-customers.ts'
import { AddNoteDocument, MarkReadDocument, SendMessageDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'

const SEED = 20261121
const PEOPLE = 5

let app: TestApp
let runs = 0

beforeAll(async () => {
  app = await startTestApp()
})
afterAll(() => app?.close())

const actor = (org: TestOrganization) => ({ organizationId: org.id, memberId: null })
const numberOf = (person: number): string => `+9055540000${person}0`

/** Who the number belongs to now. */
async function holderOf(org: TestOrganization, person: number): Promise<string> {
  const where = { organizationId: org.id, kind: 'PHONE', value: numberOf(person) } as const
  return (await app.deps.db.customerIdentity.findFirstOrThrow({ where })).customerId
}

type Step =
  | { do: 'write'; person: number; by: 'sms' | 'whatsapp' }
  | { do: 'answer'; person: number }
  | { do: 'note'; person: number }
  | { do: 'read'; person: number }
  | { do: 'consent'; person: number; state: 'OPTED_IN' | 'OPTED_OUT' }
  | { do: 'merge'; survivor: number; merged: number }
  | { do: 'unmerge'; which: number }

const person = fc.integer({ min: 0, max: PEOPLE - 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('write' as const), person, by: fc.constantFrom('sms' as const, 'whatsapp' as const) }),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('answer' as const, 'note' as const, 'read' as const), person)
      .map(([what, who]) => ({ do: what, person: who }) as Step),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('consent' as const),
      person,
      state: fc.constantFrom('OPTED_IN' as const, 'OPTED_OUT' as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('merge' as const), survivor: person, merged: person }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('unmerge' as const), which: fc.nat(5) }) },
)

/** Does the step; what the rules forbid is refused with a UserError, and then nothing has changed. */
async function take(org: TestOrganization, given: Step): Promise<void> {
  const { deps } = app
  if (given.do === 'write') {
    await org[given.by].inbound(numberOf(given.person), 'a word')
  } else if (given.do === 'merge') {
    const input = { survivorId: await holderOf(org, given.survivor), mergedId: await holderOf(org, given.merged) }
    await refusable(org, () => mergeCustomers(deps, actor(org), input))
  } else if (given.do === 'unmerge') {
    const merges = await deps.db.customerMerge.findMany({ where: { organizationId: org.id }, orderBy: { id: 'desc' } })
    const merge = merges[given.which]
    if (merge !== undefined) await refusable(org, () => unmergeCustomers(deps, actor(org), { mergeId: merge.id }))
  } else {
    const row = await holderOf(org, given.person)
    const customerId = globalId('Customer', row)
    if (given.do === 'note') await org.ask(AddNoteDocument, { input: { customerId, body: 'a note' } })
    else if (given.do === 'read') await org.ask(MarkReadDocument, { input: { target: { customerId } } })
    else if (given.do === 'answer') {
      const input = { to: { customerId }, channel: 'SMS' as const, content: { text: 'an answer' } }
      await org.ask(SendMessageDocument, { input })
    } else {
      const entry = { channel: 'EMAIL', purposes: ['MARKETING'], state: given.state, evidence: 'said so' } as const
      await setConsent(deps, actor(org), { customerId: row, ...entry })
    }
  }
}

async function refusable(org: TestOrganization, work: () => Promise<unknown>): Promise<void> {
  const before = await snapshot(org)
  try {
    await work()
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    expect(await snapshot(org)).toEqual(before)
  }
}

async function opened(): Promise<TestOrganization> {
  const org = await openOrganization(app, { slug: `merging-${++runs}` })
  for (let one = 0; one < PEOPLE; one++) await org.sms.inbound(numberOf(one), `I am ${one}`)
  return org
}

/** All that a merge moves, without what it may leave behind: entries of the ledger, times of changes. */
async function snapshot({ id: organizationId }: TestOrganization) {
  const { db } = app.deps
  const sorted = { where: { organizationId }, orderBy: { id: 'asc' } } as const
  return {
    customers: await db.customer.findMany(sorted),
    identities: await db.customerIdentity.findMany(sorted),
    conversations: await db.conversation.findMany({ ...sorted, omit: { statusChangedAt: true } }),
    communications: await db.communication.findMany({
      ...sorted,
      select: { id: true, customerId: true, conversationId: true, isRead: true, direction: true },
    }),
    inForce: (
      await app.deps.pool.query(
        `SELECT DISTINCT ON (customer_id, channel, purpose) customer_id, channel, purpose, state FROM consent_entry WHERE organization_id = $1
         ORDER BY customer_id, channel, purpose, occurred_at DESC, id DESC`,
        [organizationId],
      )
    ).rows,
  }
}

/** What is wrong with counters and owners. */
async function wrongIn({ id }: TestOrganization): Promise<unknown[]> {
  const { rows } = await app.deps.pool.query(
    `SELECT 'conversation counts' AS wrong, c.id FROM conversation c LEFT JOIN communication m ON m.conversation_id = c.id
       WHERE c.organization_id = $1 GROUP BY c.id HAVING c.unread_count <> count(m.id) FILTER (WHERE NOT m.is_read)
         OR c.inbound_count <> count(m.id) FILTER (WHERE m.direction = 'INBOUND') OR c.outbound_count <> count(m.id) FILTER (WHERE m.direction = 'OUTBOUND')
     UNION ALL
     SELECT 'customer counts', c.id FROM customer c LEFT JOIN communication m ON m.customer_id = c.id AND NOT m.is_read
       WHERE c.organization_id = $1 GROUP BY c.id HAVING c.unread_count <> count(m.id)
     UNION ALL
     SELECT 'organization counts', o.id FROM organization o LEFT JOIN communication m ON m.organization_id = o.id AND NOT m.is_read
       WHERE o.id = $1 GROUP BY o.id HAVING o.unread_count <> count(m.id)
     UNION ALL
     SELECT 'communication of another customer than its conversation', m.id FROM communication m JOIN conversation c ON c.id = m.conversation_id
       WHERE c.organization_id = $1 AND c.customer_id <> m.customer_id
     UNION ALL
     SELECT 'communication in a merged conversation', m.id FROM communication m JOIN conversation c ON c.id = m.conversation_id
       WHERE c.organization_id = $1 AND c.merged_into_id IS NOT NULL
     UNION ALL
     SELECT 'something of a merged customer', u.id FROM customer u WHERE u.organization_id = $1 AND u.merged_into_id IS NOT NULL AND (
       EXISTS (SELECT FROM communication WHERE customer_id = u.id) OR EXISTS (SELECT FROM customer_identity WHERE customer_id = u.id)
       OR EXISTS (SELECT FROM consent_entry WHERE customer_id = u.id)
       OR EXISTS (SELECT FROM conversation WHERE customer_id = u.id AND merged_into_id IS NULL))
     UNION ALL
     SELECT 'leads nowhere', u.id FROM customer u JOIN customer s ON s.id = u.merged_into_id
       WHERE u.organization_id = $1 AND s.merged_into_id IS NOT NULL
     UNION ALL
     SELECT 'leads nowhere', c.id FROM conversation c JOIN conversation i ON i.id = c.merged_into_id
       WHERE c.organization_id = $1 AND i.merged_into_id IS NOT NULL
     UNION ALL
     SELECT 'latest communication', c.id FROM conversation c WHERE c.organization_id = $1 AND c.merged_into_id IS NULL
       AND c.last_communication_id IS DISTINCT FROM (SELECT max(m.id::text)::uuid FROM communication m WHERE m.conversation_id = c.id)`,
    [id],
  )
  return rows
}

test('whatever happens in between, rows and counters agree, nothing is lost, and refusals change nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 22 }), async (steps) => {
      const org = await opened()
      for (const one of steps) await take(org, one)
      expect(await wrongIn(org)).toEqual([])
      const written = steps.filter((one) => one.do === 'write').length
      const { communications, identities } = await snapshot(org)
      expect(communications.filter(({ direction }) => direction === 'INBOUND')).toHaveLength(PEOPLE + written)
      expect(communications.filter(({ direction }) => direction === 'INTERNAL')).toHaveLength(
        steps.filter((one) => one.do === 'note').length,
      )
      expect(identities).toHaveLength(PEOPLE)
    }),
    { numRuns: 7, seed: SEED },
  )
}, 120_000)

test('any merges undone in the opposite order leave everything as it was', async () => {
  const setUp = fc.array(
    step.filter((one) => one.do !== 'merge' && one.do !== 'unmerge'),
    { maxLength: 10 },
  )
  const pairs = fc.array(fc.tuple(person, person), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(setUp, pairs, async (steps, merges) => {
      const org = await opened()
      for (const one of steps) await take(org, one)
      const before = await snapshot(org)
      for (const [survivor, merged] of merges) await take(org, { do: 'merge', survivor, merged })
      expect(await wrongIn(org)).toEqual([])
      const made = await app.deps.db.customerMerge.findMany({ where: { organizationId: org.id }, orderBy: { id: 'desc' } })
      for (const { id } of made) await unmergeCustomers(app.deps, actor(org), { mergeId: id })
      expect(await snapshot(org)).toEqual(before)
    }),
    { numRuns: 7, seed: SEED },
  )
}, 120_000)

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DismissMergeSuggestionDocument, MergeSuggestionsDocument, SetConsentDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { merging, type Person } from '../support/merging.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'

type Merging = ReturnType<typeof merging>

let app: TestApp
let org: TestOrganization
let writer: Merging['writer']
let merge: Merging['merge']
let unmerge: Merging['unmerge']
let profile: Merging['profile']

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'merging-consent' })
  ;({ writer, merge, unmerge, profile } = merging(org))
})
afterAll(() => app?.close())

describe('consent', () => {
  const out = async (person: Person, state: 'OPTED_IN' | 'OPTED_OUT', channel: 'EMAIL' | 'SMS' = 'EMAIL') =>
    org.ask(SetConsentDocument, {
      input: { customerId: person.id, channel, purposes: ['MARKETING'], state, evidence: `${person.number} ${state}` },
    })
  const inForce = async (person: Person) => (await profile(person.id)).consents.map(({ state, source }) => `${state} ${source}`)

  test.each([
    { name: 'the merged one had opted out, the survivor in since', words: ['merged OPTED_OUT', 'survivor OPTED_IN'] },
    { name: 'the survivor had opted out, the merged one in since', words: ['survivor OPTED_OUT', 'merged OPTED_IN'] },
  ])('the stricter wins: $name; undone, both are as before', async ({ words }) => {
    const people = { survivor: await writer('sms'), merged: await writer('sms') }
    for (const word of words) {
      const [who, state] = word.split(' ') as ['survivor' | 'merged', 'OPTED_IN' | 'OPTED_OUT']
      await out(people[who], state)
    }
    const before = [await inForce(people.survivor), await inForce(people.merged)].map(([state]) => state?.split(' ')[0])
    const { merge: made, customer } = await merge(people.survivor, people.merged)
    expect(customer.consents).toMatchObject([{ state: 'OPTED_OUT', source: 'MERGE' }])
    const entries = await app.deps.db.consentEntry.count({ where: { customerId: { in: [people.survivor.row, people.merged.row] } } })
    await unmerge(made.id)
    expect([await inForce(people.survivor), await inForce(people.merged)].map(([state]) => state?.split(' ')[0])).toEqual(before)
    expect(await app.deps.db.consentEntry.count({ where: { customerId: { in: [people.survivor.row, people.merged.row] } } })).toBe(entries)
  })

  test('where the latest word is an opt-out anyway, nothing is added', async () => {
    const [survivor, merged] = [await writer('sms'), await writer('sms')]
    await out(survivor, 'OPTED_IN')
    await out(merged, 'OPTED_OUT')
    const { merge: made } = await merge(survivor, merged)
    expect(await inForce(survivor)).toEqual(['OPTED_OUT STAFF'])
    const changes = await app.deps.db.event.findMany({ where: { customerId: survivor.row, type: 'CUSTOMER_OPTED_OUT' } })
    expect(changes).toMatchObject([{ data: { channel: 'EMAIL', purposes: ['MARKETING'], source: 'MERGE' } }])
    await unmerge(made.id)
    expect(await inForce(survivor)).toEqual(['OPTED_IN STAFF'])
    expect(await inForce(merged)).toEqual(['OPTED_OUT STAFF'])
    const back = await app.deps.db.event.findMany({ where: { customerId: survivor.row, type: 'CUSTOMER_OPTED_IN' } })
    expect(back).toMatchObject([{ data: { source: 'MERGE' } }])
  })

  test('an opt-out of someone of the two, while they were one, holds for both', async () => {
    const [survivor, merged] = [await writer('sms'), await writer('sms')]
    const { merge: made } = await merge(survivor, merged)
    await org.sms.inbound(merged.number, 'STOP')
    await unmerge(made.id)
    expect(await inForce(survivor)).toEqual(['OPTED_OUT KEYWORD', 'OPTED_OUT KEYWORD'])
    expect(await inForce(merged)).toEqual(['OPTED_OUT MERGE', 'OPTED_OUT MERGE'])
  })
})

describe('suggestions', () => {
  const suggest = (one: Person, other: Person) =>
    app.deps.db.mergeSuggestion.create({
      data: {
        id: `0198${one.row.slice(4, 24)}${other.row.slice(24)}`,
        organizationId: org.id,
        customerId: one.row,
        otherCustomerId: other.row,
        kind: 'PHONE',
        value: other.number,
      },
    })
  const open = async () => (await org.ask(MergeSuggestionsDocument)).mergeSuggestions.nodes

  test('are listed until they are dismissed', async () => {
    const [one, other] = [await writer('sms'), await writer('sms')]
    await suggest(one, other)
    const [suggestion] = await open()
    expect(suggestion).toMatchObject({ customer: { id: one.id }, otherCustomer: { id: other.id }, kind: 'PHONE', value: other.number })
    expect((await profile(other.id)).mergeSuggestions).toEqual([suggestion])
    const input = { mergeSuggestionId: present(suggestion).id }
    const { dismissMergeSuggestion } = await org.ask(DismissMergeSuggestionDocument, { input })
    expect(member(dismissMergeSuggestion, 'DismissMergeSuggestionSuccess').mergeSuggestion.status).toBe('DISMISSED')
    expect(await open()).toEqual([])
    expect((await profile(one.id)).mergeSuggestions).toEqual([])
  })

  test('are settled by the merge, hold for the survivor where they name a third, and come back with the undoing', async () => {
    const [survivor, merged, third] = [await writer('sms'), await writer('sms'), await writer('sms')]
    const between = await suggest(survivor, merged)
    const about = await suggest(third, merged)
    const { merge: made, customer } = await merge(survivor, merged)
    const statusOf = async (id: string) => (await app.deps.db.mergeSuggestion.findUniqueOrThrow({ where: { id } })).status
    expect(await statusOf(between.id)).toBe('MERGED')
    expect((await profile(customer.id)).mergeSuggestions).toMatchObject([
      { customer: { id: third.id }, otherCustomer: { id: survivor.id } },
    ])
    await unmerge(made.id)
    expect(await statusOf(between.id)).toBe('OPEN')
    expect(await app.deps.db.mergeSuggestion.findUnique({ where: { id: about.id } })).toEqual(about)
    const again = await suggest(third, survivor)
    const second = (await merge(survivor, merged)).merge.id
    expect([await statusOf(about.id), await statusOf(again.id)]).toEqual(['MERGED', 'OPEN'])
    await unmerge(second)
    expect(await statusOf(about.id)).toBe('OPEN')
  })
})

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { globalId } from '../../schema/global-id.ts'
import { newId } from '../../src/domain/ids.ts'
import { CreateCustomerDocument, CustomerHistoryDocument, RequestReviewDocument, type RequestReviewInput } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { automating, bodies, brief, nextPhone } from '../support/automations.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'
import { type SimulatedClock, simulateClock } from '../support/simulated-clock.ts'

const NO_LINK = 'There is no value for {{review_link}}: set the review link in the notification settings, or take it out of the text.'

let app: TestApp
let salon: TestOrganization
let clock: SimulatedClock
let on: ReturnType<typeof automating>

beforeAll(async () => {
  app = await startTestApp()
  clock = simulateClock(app, '2037-02-01T09:00:00Z')
  salon = await openOrganization(app, { slug: 'salon', name: 'Salon Mavi', timezone: 'Europe/Istanbul' })
  on = automating(app, salon.ask)
})
afterAll(() => app?.close())
beforeEach(() =>
  on.set({
    reviewLink: 'https://example.com/r',
    automations: [{ kind: 'REVIEW_REQUEST', enabled: true, channels: ['SMS'], delayMinutes: 0, afterCompletion: false }],
  }),
)

const customer = async () => {
  const input = { name: 'Grace Hopper', identities: [{ kind: 'PHONE' as const, value: nextPhone() }] }
  return member((await salon.ask(CreateCustomerDocument, { input })).createCustomer, 'CreateCustomerSuccess').customer.id
}
const request = async (input: RequestReviewInput) => present((await salon.ask(RequestReviewDocument, { input })).requestReview)
const requested = async (input: RequestReviewInput) => member(await request(input), 'RequestReviewSuccess').automationRun
const reviewsOf = (customerId: string) => on.runs({ customerId, kinds: ['REVIEW_REQUEST'] })

describe('a review request by hand', () => {
  test('goes out at once, whatever the delay after a visit is, in the name of who asked for it', async () => {
    await on.set({ automations: [{ kind: 'REVIEW_REQUEST', delayMinutes: 120, afterCompletion: true }] })
    const customerId = await customer()
    const run = await requested({ customerId })
    expect(run).toMatchObject({ kind: 'REVIEW_REQUEST', status: 'SCHEDULED', dueAt: clock.now().toISOString(), appointment: null })
    await clock.settle()
    const runs = await reviewsOf(customerId)
    expect(brief(runs)).toEqual(['REVIEW_REQUEST SMS SENT'])
    expect(bodies(runs)).toEqual(['Hi Grace, thank you for choosing Salon Mavi. Would you tell others how it was? https://example.com/r'])
    const { nodes } = present((await salon.ask(CustomerHistoryDocument, { id: customerId })).customer).timeline
    expect(nodes.find(({ automationRun }) => automationRun !== null)?.actor?.name).toBe('Tess Ter')
  })

  test('is one for a key, however often, and the same when the settings have changed; without a key it is another', async () => {
    const customerId = await customer()
    const all = await Promise.all(Array.from({ length: 10 }, () => requested({ customerId, idempotencyKey: 'r-1' })))
    expect(new Set(all.map(({ id }) => id)).size).toBe(1)
    await clock.settle()
    await on.set({ reviewLink: null, automations: [{ kind: 'REVIEW_REQUEST', enabled: false }] })
    expect(await requested({ customerId, idempotencyKey: 'r-1' })).toMatchObject({ id: all[0]?.id, status: 'SENT' })
    await on.set({ reviewLink: 'https://example.com/r', automations: [{ kind: 'REVIEW_REQUEST', enabled: true }] })
    await requested({ customerId })
    await clock.settle()
    expect(brief(await reviewsOf(customerId))).toEqual(['REVIEW_REQUEST SMS SENT', 'REVIEW_REQUEST SMS SENT'])
  })

  test('with the key of another customer’s is a conflict, also at the same time', async () => {
    const [one, other] = [await customer(), await customer()]
    const answers = await Promise.all([one, other].map((customerId) => request({ customerId, idempotencyKey: 'r-2' })))
    const names = answers.map(({ __typename }) => __typename)
    expect(names.toSorted()).toEqual(['IdempotencyConflictError', 'RequestReviewSuccess'])
    const loser = names[0] === 'RequestReviewSuccess' ? other : one
    expect(await request({ customerId: loser, idempotencyKey: 'r-2' })).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
      path: ['input', 'idempotencyKey'],
    })
    expect(await reviewsOf(loser)).toEqual([])
  })

  test('is refused while it is switched off, for nobody, and with an empty key', async () => {
    const customerId = await customer()
    expect(await request({ customerId: globalId('Customer', newId()) })).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'customerId'] })
    expect(await request({ customerId, idempotencyKey: '' })).toMatchObject({ code: 'INVALID_INPUT', path: ['input', 'idempotencyKey'] })
    await on.set({ automations: [{ kind: 'REVIEW_REQUEST', enabled: false }] })
    expect(await request({ customerId })).toEqual({
      __typename: 'ValidationError',
      code: 'INVALID_INPUT',
      message: 'Review requests are switched off: see notificationSettings.',
      path: ['input'],
    })
    expect(await reviewsOf(customerId)).toEqual([])
  })

  test('without a review link is refused with what to do, unless a channel’s text does without one', async () => {
    await on.set({ reviewLink: null })
    const customerId = await customer()
    const refusal = { __typename: 'ValidationError', code: 'INVALID_INPUT', message: NO_LINK, path: ['input'] }
    expect(await request({ customerId })).toEqual(refusal)
    expect(await reviewsOf(customerId)).toEqual([])
    const body = 'Hi {{customer_name}}, how was it?'
    await on.set({
      automations: [{ kind: 'REVIEW_REQUEST', channels: ['WHATSAPP', 'SMS'], templates: [{ channel: 'SMS', body }] }],
    })
    await requested({ customerId })
    await clock.settle()
    const runs = await reviewsOf(customerId)
    expect(brief(runs)).toEqual(['REVIEW_REQUEST WHATSAPP SKIPPED MISSING_VALUE', 'REVIEW_REQUEST SMS SENT'])
    expect([runs[0]?.detail, bodies(runs)]).toEqual([NO_LINK, ['Hi Grace, how was it?']])
    await salon.ask('mutation { resetAutomationTemplate(input: { kind: REVIEW_REQUEST, channel: SMS }) { __typename } }')
  })
})

describe('after a visit', () => {
  const askAfter = (delayMinutes: number) => on.set({ automations: [{ kind: 'REVIEW_REQUEST', afterCompletion: true, delayMinutes }] })
  const reviews = async (id: string) => (await on.runsOf(id)).filter(({ kind }) => kind === 'REVIEW_REQUEST')

  const visited = () => on.book({ startsAt: new Date(clock.now().getTime() - 3_600_000).toISOString() })

  test('nobody is asked unless the settings say so', async () => {
    const { id } = await visited()
    await on.complete(id)
    await clock.settle()
    expect(await reviews(id)).toEqual([])
  })

  test('the customer is asked when the delay has passed, once', async () => {
    await askAfter(120)
    const { id } = await visited()
    await on.complete(id)
    await on.complete(id)
    const dueAt = new Date(clock.now().getTime() + 7_200_000)
    await clock.advanceTo(new Date(dueAt.getTime() - 1))
    expect(brief(await reviews(id))).toEqual(['REVIEW_REQUEST SMS SCHEDULED'])
    await clock.advanceTo(dueAt)
    expect(await reviews(id)).toMatchObject([{ status: 'SENT', dueAt: dueAt.toISOString(), settledAt: dueAt.toISOString() }])
  })

  test('without a review link nothing is sent, and the run says what to do', async () => {
    await askAfter(0)
    await on.set({ reviewLink: null })
    const { id } = await visited()
    await on.complete(id)
    await clock.settle()
    expect(await reviews(id)).toMatchObject([{ status: 'SKIPPED', reason: 'MISSING_VALUE', detail: NO_LINK }])
  })

  test('of more than a week ago nobody is asked', async () => {
    await askAfter(0)
    const { id } = await visited()
    await on.complete(id)
    await clock.jumpTo(new Date(clock.now().getTime() + 7 * 86_400_000 + 1))
    expect(await reviews(id)).toMatchObject([{ status: 'SKIPPED', reason: 'TOO_LATE' }])
  })

  test('that is said to be over before it has begun, the customer is asked when it has', async () => {
    await askAfter(60)
    const { id, startsAt } = await on.book()
    await on.complete(id)
    expect(await reviews(id)).toMatchObject([{ status: 'SCHEDULED', dueAt: new Date(Date.parse(startsAt) + 3_600_000).toISOString() }])
  })

  test('nobody is asked any more when the settings do not say so any more', async () => {
    await askAfter(120)
    const { id } = await visited()
    await on.complete(id)
    await on.set({ automations: [{ kind: 'REVIEW_REQUEST', afterCompletion: false }] })
    await clock.pass({ hours: 2 })
    const detail = 'Review requests do not follow completed appointments any more.'
    expect(await reviews(id)).toMatchObject([{ status: 'SKIPPED', reason: 'SETTINGS_CHANGED', detail }])
  })
})

test('who wants no advertisements is not asked, and still told of appointments', async () => {
  const customerId = await customer()
  const consent = { customerId, channel: 'SMS', purposes: ['MARKETING'], state: 'OPTED_OUT', evidence: 'on the phone' }
  await salon.ask('mutation ($input: SetConsentInput!) { setConsent(input: $input) { __typename } }', { input: consent })
  await requested({ customerId })
  const { id } = await on.book({ customer: { customerId } })
  await on.set({ automations: [{ kind: 'BOOKING_CONFIRMATION', channels: ['SMS'] }] })
  await clock.settle()
  expect(brief(await reviewsOf(customerId))).toEqual(['REVIEW_REQUEST SMS SKIPPED OPTED_OUT'])
  expect(brief(await on.runsOf(id))).toContain('BOOKING_CONFIRMATION SMS SENT')
})

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { localId } from '../../schema/global-id.ts'
import { runAutomation } from '../../src/domain/run-automation.ts'
import { DisconnectChannelAccountDocument, RequestReviewDocument } from '../generated/graphql.ts'
import { automating, brief, nextPhone } from '../support/automations.ts'
import { eventually } from '../support/eventually.ts'
import { member, present } from '../support/result.ts'
import { type SimulatedClock, simulateClock } from '../support/simulated-clock.ts'
import { startTwilioOrganization, type TwilioOrganization } from '../support/twilio-organization.ts'

let twilio: TwilioOrganization
let clock: SimulatedClock
let on: ReturnType<typeof automating>

beforeAll(async () => {
  twilio = await startTwilioOrganization('salon')
  on = automating(twilio.app, twilio.org.ask)
})
afterAll(() => twilio?.close())
beforeEach(async () => {
  // A messaging window begins at the real time.
  clock = simulateClock(twilio.app, new Date(Date.now() + 1000))
  await on.set({
    quietHours: null,
    reviewLink: 'https://example.com/review',
    automations: [
      { kind: 'BOOKING_CONFIRMATION', enabled: true, channels: ['SMS', 'WHATSAPP'] },
      { kind: 'APPOINTMENT_REMINDER', enabled: false },
      { kind: 'RESCHEDULE_NOTICE', enabled: false },
      { kind: 'CANCELLATION_NOTICE', enabled: false },
      { kind: 'REVIEW_REQUEST', channels: ['SMS', 'WHATSAPP'] },
    ],
  })
})

const inMinutes = (minutes: number) => new Date(clock.now().getTime() + minutes * 60_000).toISOString()

/** Of a customer who can be reached by SMS, and by WhatsApp after it. */
async function booked(startsAt = inMinutes(3 * 1440)) {
  const phone = nextPhone()
  await twilio.org.whatsapp.inbound(phone, 'Hello')
  const appointment = await on.book({ phone, startsAt })
  await clock.settle()
  return { ...appointment, phone }
}

const messageOf = async (id: string, step = 0) => present((await on.runsOf(id))[step]?.communication)
const acceptedOf = async (id: string, step = 0) => twilio.acceptedOf((await messageOf(id, step)).id)
const sidOf = async (id: string, step = 0) => present((await acceptedOf(id, step))[0]).sid

describe('while the provider is not available', () => {
  const ways = {
    canceled: ['APPOINTMENT_CANCELED', (id: string) => on.cancel(id)],
    moved: ['APPOINTMENT_RESCHEDULED', (id: string) => on.reschedule(id, inMinutes(5 * 1440))],
    completed: ['APPOINTMENT_COMPLETED', (id: string) => on.complete(id)],
    'switched off': ['AUTOMATION_OFF', () => on.set({ automations: [{ kind: 'BOOKING_CONFIRMATION', enabled: false }] })],
    begun: ['APPOINTMENT_PASSED', () => clock.pass({ minutes: 9 })],
  } as const

  test.each(Object.keys(ways) as (keyof typeof ways)[])('%s: the message is taken back, never sent, and the run says why', async (what) => {
    const [reason, happens] = ways[what]
    twilio.fake.next({ status: 503, retryAfter: 600 })
    const { id, customer } = await booked(what === 'begun' ? inMinutes(8) : undefined)
    expect(brief(await on.runsOf(id))).toEqual(['BOOKING_CONFIRMATION SMS SENT'])
    expect(await messageOf(id)).toMatchObject({ deliveryStatus: 'PENDING' })
    await happens(id)
    await clock.pass({ minutes: 11 })
    expect(brief(await on.runsOf(id))).toEqual([`BOOKING_CONFIRMATION SMS SKIPPED ${reason}`])
    expect(await messageOf(id)).toMatchObject({ deliveryStatus: 'CANCELED' })
    expect(await acceptedOf(id)).toEqual([])
    const [last] = (await on.history(customer.id)).filter(({ type }) => type === 'AUTOMATION_RUN_CHANGED')
    expect(last).toMatchObject({ communication: { id: (await messageOf(id)).id }, automationRun: { status: 'SKIPPED', reason } })
  })

  test('nothing happens: it is sent once, when it is back', async () => {
    twilio.fake.next({ status: 503, retryAfter: 600 }, { status: 429 })
    const { id } = await booked()
    await clock.pass({ minutes: 11 })
    expect(brief(await on.runsOf(id))).toEqual(['BOOKING_CONFIRMATION SMS SENT'])
    expect([await acceptedOf(id), (await messageOf(id)).deliveryStatus]).toEqual([[expect.anything()], 'SENT'])
  })

  test('the quiet hours begin: it waits for their end', async () => {
    const local = (minutes: number) =>
      new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Istanbul', timeStyle: 'short' }).format(new Date(inMinutes(minutes)))
    await on.set({ quietHours: { from: local(5), until: local(65) } })
    twilio.fake.next({ status: 503, retryAfter: 600 })
    const { id } = await booked()
    await clock.pass({ minutes: 60 })
    expect([await acceptedOf(id), (await messageOf(id)).deliveryStatus]).toEqual([[], 'PENDING'])
    await clock.pass({ minutes: 5 })
    expect([await acceptedOf(id), (await messageOf(id)).deliveryStatus]).toEqual([[expect.anything()], 'SENT'])
  })

  test('the customer opts out: the next channel is tried', async () => {
    twilio.fake.next({ status: 503, retryAfter: 600 })
    const { id, phone } = await booked()
    await twilio.org.sms.inbound(phone, 'STOP')
    await clock.pass({ minutes: 11 })
    expect(brief(await on.runsOf(id))).toEqual(['BOOKING_CONFIRMATION SMS FAILED DELIVERY_FAILED', 'BOOKING_CONFIRMATION WHATSAPP SENT'])
    expect([await acceptedOf(id), await acceptedOf(id, 1)]).toEqual([[], [expect.anything()]])
  })
})

describe('a delivery that fails', () => {
  test.each([
    ['for the number is none', 21211],
    ['for the customer has opted out at the provider', 21610],
  ])('at once, %s: the next channel is tried, and says after which', async (_why, code) => {
    twilio.fake.next({ status: 400, code, message: 'refused' })
    const { id } = await booked()
    const [sms, whatsapp, ...more] = await on.runsOf(id)
    expect(sms).toMatchObject({ channel: 'SMS', status: 'FAILED', reason: 'DELIVERY_FAILED', communication: { deliveryStatus: 'FAILED' } })
    expect(sms?.detail).toMatch(/^[A-Z].{20,}/)
    expect(whatsapp).toMatchObject({
      channel: 'WHATSAPP',
      step: 1,
      status: 'SENT',
      fallbackOf: { id: sms?.id, channel: 'SMS', reason: 'DELIVERY_FAILED' },
      communication: { deliveryStatus: 'SENT' },
    })
    expect([more, await acceptedOf(id), await acceptedOf(id, 1)]).toEqual([[], [], [expect.anything()]])
  })

  test('by a later receipt: the next channel once, however often that is told, and whatever is told later', async () => {
    const { id } = await booked()
    const sid = await sidOf(id)
    await clock.pass({ minutes: 3 })
    const tell = (status: string) => twilio.fake.callback(sid, status, { ErrorCode: '30005' })
    await Promise.all([tell('undelivered'), tell('undelivered'), tell('failed')])
    await clock.settle()
    await tell('failed')
    await clock.settle()
    const after = ['BOOKING_CONFIRMATION SMS FAILED DELIVERY_FAILED', 'BOOKING_CONFIRMATION WHATSAPP SENT']
    expect(brief(await on.runsOf(id))).toEqual(after)
    expect(await acceptedOf(id, 1)).toHaveLength(1)
    await tell('delivered')
    await clock.settle()
    expect(brief(await on.runsOf(id))).toEqual(after)
  })

  test('on every channel: each run says so, and that is all', async () => {
    twilio.fake.next({ status: 400, code: 21211 }, { status: 400, code: 63003 })
    const { id } = await booked()
    expect(brief(await on.runsOf(id))).toEqual([
      'BOOKING_CONFIRMATION SMS FAILED DELIVERY_FAILED',
      'BOOKING_CONFIRMATION WHATSAPP FAILED DELIVERY_FAILED',
    ])
  })

  test('after it was delivered changes nothing', async () => {
    const { id } = await booked()
    const sid = await sidOf(id)
    await twilio.fake.callback(sid, 'delivered')
    await twilio.fake.callback(sid, 'failed', { ErrorCode: '30005' })
    await clock.settle()
    expect(brief(await on.runsOf(id))).toEqual(['BOOKING_CONFIRMATION SMS SENT'])
    expect(await messageOf(id)).toMatchObject({ deliveryStatus: 'DELIVERED' })
  })

  test('when the appointment has begun: the next channel is not used', async () => {
    const { id } = await booked(inMinutes(30))
    const sid = await sidOf(id)
    await clock.pass({ minutes: 30 })
    await twilio.fake.callback(sid, 'undelivered', { ErrorCode: '30005' })
    await clock.settle()
    expect(brief(await on.runsOf(id))).toEqual([
      'BOOKING_CONFIRMATION SMS FAILED DELIVERY_FAILED',
      'BOOKING_CONFIRMATION WHATSAPP SKIPPED APPOINTMENT_PASSED',
    ])
  })

  test('when it was canceled: the next channel is not used', async () => {
    const { id } = await booked()
    const sid = await sidOf(id)
    await on.cancel(id)
    await twilio.fake.callback(sid, 'undelivered', { ErrorCode: '30005' })
    await clock.settle()
    expect(brief(await on.runsOf(id))).toEqual([
      'BOOKING_CONFIRMATION SMS FAILED DELIVERY_FAILED',
      'BOOKING_CONFIRMATION WHATSAPP SKIPPED APPOINTMENT_CANCELED',
    ])
  })

  test('of a review request after a week: the next channel is not used, by the time of the first', async () => {
    const { customer } = await booked()
    const asked = await twilio.org.ask(RequestReviewDocument, { input: { customerId: customer.id } })
    member(asked.requestReview, 'RequestReviewSuccess')
    await clock.settle()
    const runs = () => on.runs({ customerId: customer.id, kinds: ['REVIEW_REQUEST'] })
    const { sid } = present(twilio.acceptedOf(present((await runs())[0]?.communication).id)[0])
    await clock.pass({ days: 7, minutes: 1 })
    await twilio.fake.callback(sid, 'undelivered', { ErrorCode: '30005' })
    await clock.settle()
    expect(brief(await runs())).toEqual(['REVIEW_REQUEST SMS FAILED DELIVERY_FAILED', 'REVIEW_REQUEST WHATSAPP SKIPPED TOO_LATE'])
    expect((await runs())[1]?.detail).toBe('It could not be sent within 7 days of its time, and after that it would be out of place.')
  })
})

describe('a message of which nobody knows whether it was sent', () => {
  test('is never sent by another channel, until the provider says that it failed', async () => {
    twilio.fake.next({ drop: 'after' })
    const { id } = await booked()
    await clock.pass({ days: 1 })
    expect(brief(await on.runsOf(id))).toEqual(['BOOKING_CONFIRMATION SMS SENT'])
    expect(await messageOf(id)).toMatchObject({ deliveryStatus: 'UNKNOWN' })
    clock = simulateClock(twilio.app, new Date(Date.now() + 1000))
    await twilio.fake.callback(await sidOf(id), 'undelivered', { ErrorCode: '30005' })
    await clock.settle()
    expect(brief(await on.runsOf(id))).toEqual(['BOOKING_CONFIRMATION SMS FAILED DELIVERY_FAILED', 'BOOKING_CONFIRMATION WHATSAPP SENT'])
  })
})

// The last one: the account does not come back.
test('an error of ours is tried again, and at last written down as the reason; the next channel is tried', async () => {
  const { deps } = twilio.app
  const phone = nextPhone()
  await twilio.org.whatsapp.inbound(phone, 'Hello')
  const { channels } = deps
  deps.channels = {
    ...channels,
    get: (provider, channel) => {
      if (channel === 'SMS') throw new Error('broken by the test')
      return channels.get(provider, channel)
    },
  }
  try {
    const { id } = await on.book({ phone, startsAt: inMinutes(3 * 1440) })
    const run = await deps.db.automationRun.findFirstOrThrow({ where: { appointmentId: localId('Appointment', id) ?? '' } })
    await expect(runAutomation(deps, run.id)).rejects.toThrow('broken by the test')
    expect(brief(await on.runsOf(id))).toEqual(['BOOKING_CONFIRMATION SMS SCHEDULED'])
    await runAutomation(deps, run.id, true)
    await eventually(async () =>
      expect(brief(await on.runsOf(id))).toEqual([
        'BOOKING_CONFIRMATION SMS SKIPPED INTERNAL_ERROR',
        'BOOKING_CONFIRMATION WHATSAPP SCHEDULED',
      ]),
    )
    deps.channels = channels
    await clock.settle()
    expect(brief(await on.runsOf(id))[1]).toBe('BOOKING_CONFIRMATION WHATSAPP SENT')
  } finally {
    deps.channels = channels
  }
})

test('an account that is disconnected while the message waits: the next channel is tried', async () => {
  twilio.fake.next({ status: 503, retryAfter: 600 })
  const { id } = await booked()
  await twilio.org.ask(DisconnectChannelAccountDocument, { input: { channelAccountId: twilio.org.sms.id } })
  await clock.pass({ minutes: 11 })
  expect(brief(await on.runsOf(id))).toEqual(['BOOKING_CONFIRMATION SMS FAILED DELIVERY_FAILED', 'BOOKING_CONFIRMATION WHATSAPP SENT'])
})

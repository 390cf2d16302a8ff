import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { CreateCustomerDocument, type UpdateNotificationSettingsInput } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { automating, bodies, brief } from '../support/automations.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'
import { type SimulatedClock, simulateClock } from '../support/simulated-clock.ts'

let app: TestApp
let praxis: TestOrganization
let clock: SimulatedClock
let on: ReturnType<typeof automating>

beforeAll(async () => {
  app = await startTestApp()
  clock = simulateClock(app, '2037-02-20T12:00:00Z')
  praxis = await openOrganization(app, { slug: 'praxis', name: 'Praxis Nord', timezone: 'Europe/Berlin' })
  on = automating(app, praxis.ask)
  await on.set(DEFAULTS)
})
afterAll(() => app?.close())

const DEFAULTS: UpdateNotificationSettingsInput = {
  automations: [
    { kind: 'BOOKING_CONFIRMATION', enabled: true, channels: ['SMS'], delayMinutes: 0 },
    { kind: 'APPOINTMENT_REMINDER', channels: ['SMS'], reminderMinutes: [1440], lateReminder: 'SKIP' },
  ],
}
afterEach(() => on.set(DEFAULTS))

type Reminders = { reminderMinutes?: number[]; lateReminder?: 'SKIP' | 'SEND_NOW'; channels?: ('SMS' | 'WHATSAPP' | 'EMAIL')[] }
const reminders = (setting: Reminders) => on.set({ automations: [{ kind: 'APPOINTMENT_REMINDER', ...setting }] })
const remindersOf = async (id: string) => (await on.runsOf(id)).filter(({ kind }) => kind === 'APPOINTMENT_REMINDER')
const ahead = (minutes: number) => new Date(clock.now().getTime() + minutes * 60_000).toISOString()

describe('a reminder', () => {
  test.each([
    [
      'when the clocks have gone forward meanwhile',
      '2037-03-29T07:00:00Z',
      '2037-03-28T07:00:00.000Z',
      'Sunday, March 29, 2037 at 9:00 AM',
    ],
    ['in the hour after a gap', '2037-03-29T01:00:00Z', '2037-03-28T01:00:00.000Z', 'Sunday, March 29, 2037 at 3:00 AM'],
    ['when the clocks have gone back meanwhile', '2037-10-25T08:00:00Z', '2037-10-24T08:00:00.000Z', 'Sunday, October 25, 2037 at 9:00 AM'],
    [
      'in the first of two hours that are called the same',
      '2037-10-25T00:30:00Z',
      '2037-10-24T00:30:00.000Z',
      'Sunday, October 25, 2037 at 2:30 AM',
    ],
    ['in the second of them', '2037-10-25T01:30:00Z', '2037-10-24T01:30:00.000Z', 'Sunday, October 25, 2037 at 2:30 AM'],
    ['on the first of March', '2037-02-28T23:30:00Z', '2037-02-27T23:30:00.000Z', 'Sunday, March 1, 2037 at 12:30 AM'],
    ['on the first of March of a leap year', '2040-02-29T23:30:00Z', '2040-02-28T23:30:00.000Z', 'Thursday, March 1, 2040 at 12:30 AM'],
    ['on New Year’s Day', '2037-12-31T23:30:00Z', '2037-12-30T23:30:00.000Z', 'Friday, January 1, 2038 at 12:30 AM'],
  ])('goes out 24 hours before in elapsed time, with the local time: %s', async (_when, startsAt, dueAt, said) => {
    clock = simulateClock(app, new Date(Date.parse(dueAt) - 3_600_000))
    await on.set({ automations: [{ kind: 'BOOKING_CONFIRMATION', enabled: false }] })
    const { id } = await on.book({ startsAt })
    await clock.advanceTo(new Date(Date.parse(dueAt) - 1))
    expect(await remindersOf(id)).toMatchObject([{ status: 'SCHEDULED', dueAt, minutesBefore: 1440 }])
    await clock.advanceTo(dueAt)
    expect(await remindersOf(id)).toMatchObject([
      {
        status: 'SENT',
        dueAt,
        settledAt: dueAt,
        heldUntil: null,
        reason: null,
        detail: null,
        communication: { body: `Hi Ada, a reminder of your appointment for Haircut on ${said}. See you soon! Praxis Nord` },
      },
    ])
  })

  test('can be several, each at its time, one message each', async () => {
    await reminders({ reminderMinutes: [60, 7 * 1440, 1440] })
    const startsAt = ahead(10 * 1440)
    const { id } = await on.book({ startsAt })
    const sent = async () => (await remindersOf(id)).filter(({ status }) => status === 'SENT').map(({ minutesBefore }) => minutesBefore)
    for (const [minutesBefore, expected] of [
      [7 * 1440, [7 * 1440]],
      [1440, [7 * 1440, 1440]],
      [60, [7 * 1440, 1440, 60]],
    ] as const) {
      const due = Date.parse(startsAt) - minutesBefore * 60_000
      await clock.advanceTo(new Date(due - 1))
      expect(await sent()).toEqual(expected.slice(0, -1))
      await clock.advanceTo(new Date(due))
      expect(await sent()).toEqual(expected)
    }
    expect(bodies(await remindersOf(id))).toHaveLength(3)
  })

  test('whose time had passed when the appointment was made is not sent, and says so', async () => {
    await reminders({ reminderMinutes: [7 * 1440, 1440, 60] })
    const { id } = await on.book({ startsAt: ahead(1439) })
    await clock.settle()
    expect((await remindersOf(id)).map(({ minutesBefore, status, reason, detail }) => ({ minutesBefore, status, reason, detail }))).toEqual(
      [
        {
          minutesBefore: 7 * 1440,
          status: 'SKIPPED',
          reason: 'TOO_LATE',
          detail: 'The appointment was made, or moved, less than 7 days before it begins.',
        },
        {
          minutesBefore: 1440,
          status: 'SKIPPED',
          reason: 'TOO_LATE',
          detail: 'The appointment was made, or moved, less than 24 hours before it begins.',
        },
        { minutesBefore: 60, status: 'SCHEDULED', reason: null, detail: null },
      ],
    )
    await clock.pass({ hours: 25 })
    expect((await remindersOf(id)).map(({ status }) => status)).toEqual(['SKIPPED', 'SKIPPED', 'SENT'])
  })

  test('is in time for an appointment that is exactly so far ahead', async () => {
    const { id } = await on.book({ startsAt: ahead(1440) })
    await clock.settle()
    expect(brief(await remindersOf(id))).toEqual(['APPOINTMENT_REMINDER SMS SENT'])
  })

  test('that is late goes out now, where that is configured: of several the nearest', async () => {
    await reminders({ reminderMinutes: [7 * 1440, 1440, 120, 60], lateReminder: 'SEND_NOW' })
    const { id } = await on.book({ startsAt: ahead(90) })
    await clock.settle()
    expect((await remindersOf(id)).map(({ minutesBefore, status, reason }) => [minutesBefore, status, reason])).toEqual([
      [7 * 1440, 'SKIPPED', 'TOO_LATE'],
      [1440, 'SKIPPED', 'TOO_LATE'],
      [120, 'SENT', null],
      [60, 'SCHEDULED', null],
    ])
  })

  test('that is late for an hour says “1 hour”, for 90 minutes “90 minutes”', async () => {
    await reminders({ reminderMinutes: [60, 90] })
    const { id } = await on.book({ startsAt: ahead(30) })
    expect((await remindersOf(id)).map(({ detail }) => detail)).toEqual([
      'The appointment was made, or moved, less than 90 minutes before it begins.',
      'The appointment was made, or moved, less than 1 hour before it begins.',
    ])
  })

  test('that is added comes for what is booked already, where its time is still to come; one that is taken away does not', async () => {
    const [near, far] = [await on.book({ startsAt: ahead(100) }), await on.book({ startsAt: ahead(4 * 1440) })]
    await reminders({ reminderMinutes: [120] })
    await clock.settle()
    await clock.pass({ days: 5 })
    expect((await remindersOf(near.id)).map(({ minutesBefore, reason }) => [minutesBefore, reason])).toEqual([[1440, 'TOO_LATE']])
    const [taken, added] = await remindersOf(far.id)
    expect(taken).toMatchObject({
      minutesBefore: 1440,
      status: 'SKIPPED',
      reason: 'SETTINGS_CHANGED',
      detail: 'A reminder at this time is not among the settings any more.',
    })
    expect(added).toMatchObject({ minutesBefore: 120, status: 'SENT' })
  })
})

describe('a confirmation', () => {
  test('goes out at once; with a delay after it; switched off never', async () => {
    const confirmation = async (id: string) => (await on.runsOf(id)).filter(({ kind }) => kind === 'BOOKING_CONFIRMATION')
    const now = await on.book()
    await clock.settle()
    expect(await confirmation(now.id)).toMatchObject([{ status: 'SENT', dueAt: clock.now().toISOString() }])
    await on.set({ automations: [{ kind: 'BOOKING_CONFIRMATION', delayMinutes: 30 }] })
    const later = await on.book()
    await clock.pass({ minutes: 29 })
    expect(await confirmation(later.id)).toMatchObject([{ status: 'SCHEDULED' }])
    const off = await on.book()
    await on.set({ automations: [{ kind: 'BOOKING_CONFIRMATION', enabled: false }] })
    await clock.pass({ minutes: 1 })
    const detail = 'This automation is switched off.'
    expect(await confirmation(later.id)).toMatchObject([{ status: 'SKIPPED', reason: 'AUTOMATION_OFF', detail }])
    const never = await on.book()
    await on.set({ automations: [{ kind: 'BOOKING_CONFIRMATION', enabled: true }] })
    await clock.pass({ minutes: 60 })
    expect([brief(await confirmation(off.id)), await confirmation(never.id)]).toEqual([['BOOKING_CONFIRMATION SMS SENT'], []])
  })

  test('that is due after the appointment has begun is not sent', async () => {
    await on.set({ automations: [{ kind: 'BOOKING_CONFIRMATION', delayMinutes: 30 }] })
    const { id } = await on.book({ startsAt: ahead(20) })
    await clock.pass({ minutes: 30 })
    expect((await on.runsOf(id)).at(-1)).toMatchObject({
      kind: 'BOOKING_CONFIRMATION',
      reason: 'APPOINTMENT_PASSED',
      detail: 'The appointment had already begun.',
    })
  })
})

test('of an appointment in the past nothing is sent, and it says so; also when it is moved or canceled', async () => {
  const { id } = await on.book({ startsAt: '2037-01-04T09:00:00Z' })
  await on.reschedule(id, '2037-01-05T09:00:00Z')
  await on.cancel(id)
  await clock.settle()
  const runs = await on.runsOf(id)
  expect(new Set(runs.map(({ status, reason, detail }) => `${status} ${reason} ${detail}`))).toEqual(
    new Set(['SKIPPED APPOINTMENT_PASSED The appointment had already begun.']),
  )
  expect(runs.map(({ kind }) => kind).toSorted()).toEqual([
    'APPOINTMENT_REMINDER',
    'APPOINTMENT_REMINDER',
    'BOOKING_CONFIRMATION',
    'CANCELLATION_NOTICE',
    'RESCHEDULE_NOTICE',
  ])
})

test('to a customer whom no channel reaches nothing is sent: each channel says why, and nothing is left to do', async () => {
  const channels = ['WHATSAPP', 'SMS', 'EMAIL'] as const
  await on.set({
    automations: [
      { kind: 'BOOKING_CONFIRMATION', channels: [...channels] },
      { kind: 'APPOINTMENT_REMINDER', channels: [...channels] },
    ],
  })
  const made = await praxis.ask(CreateCustomerDocument, { input: { name: 'Nemo' } })
  const customerId = member(made.createCustomer, 'CreateCustomerSuccess').customer.id
  const { id } = await on.book({ customer: { customerId } })
  await clock.pass({ days: 4 })
  const runs = await on.runsOf(id)
  const why = (kind: string) => [
    [kind, 'WHATSAPP', 'SKIPPED', 'NO_ADDRESS', 'The customer has no address for WHATSAPP.', null],
    [kind, 'SMS', 'SKIPPED', 'NO_ADDRESS', 'The customer has no address for SMS.', 'WHATSAPP'],
    [kind, 'EMAIL', 'SKIPPED', 'CHANNEL_NOT_CONNECTED', 'No EMAIL account is connected.', 'SMS'],
  ]
  expect(
    runs.map(({ kind, channel, status, reason, detail, fallbackOf }) => [
      kind,
      channel,
      status,
      reason,
      detail,
      fallbackOf?.channel ?? null,
    ]),
  ).toEqual([...why('BOOKING_CONFIRMATION'), ...why('APPOINTMENT_REMINDER')])
  const shown = (await on.history(customerId)).flatMap(({ automationRun }) => automationRun?.id ?? []).toReversed()
  expect(shown).toEqual(runs.map(({ id: runId }) => runId))
  const { rows } = await app.deps.pool.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM graphile_worker._private_jobs WHERE payload ->> 'runId' IS NOT NULL AND last_error IS NOT NULL`,
  )
  expect(present(rows[0]).n).toBe(0)
})

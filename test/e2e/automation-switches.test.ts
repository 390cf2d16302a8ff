import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type AutomationInput, RequestReviewDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { type Configuring, configuring } from '../support/notification-settings.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member } from '../support/result.ts'
import { type SimulatedClock, simulateClock } from '../support/simulated-clock.ts'

const DAY = 86_400_000
const KINDS = ['BOOKING_CONFIRMATION', 'RESCHEDULE_NOTICE', 'CANCELLATION_NOTICE', 'MISSED_CALL_FOLLOW_UP', 'REVIEW_REQUEST'] as const

let app: TestApp
let salon: TestOrganization
let own: Configuring
let clock: SimulatedClock

beforeAll(async () => {
  app = await startTestApp()
  clock = simulateClock(app, '2027-02-01T09:00:00Z')
  salon = await openOrganization(app, { slug: 'salon', name: 'Salon Mavi', timezone: 'Europe/Istanbul' })
  own = configuring(salon.ask)
})
afterAll(() => app?.close())
beforeEach(async () => {
  const others = KINDS.map((kind) => ({ kind, enabled: false, channels: ['SMS' as const] }))
  await own.set({
    quietHours: null,
    automations: [...others, { kind: 'APPOINTMENT_REMINDER', enabled: true, channels: ['SMS'], reminderMinutes: [1440] }],
  })
  await clock.settle()
})

const change = async (more: Omit<AutomationInput, 'kind'>, kind: AutomationInput['kind'] = 'APPOINTMENT_REMINDER') => {
  await own.set({ automations: [{ kind, ...more }] })
  await clock.settle()
}
const inDays = (days: number) => new Date(clock.now().getTime() + days * DAY).toISOString()
const book = async (days: number) => {
  const { id } = await own.book({ startsAt: inDays(days) })
  await clock.settle()
  return id
}
const reminders = async (id: string) =>
  (await own.runs(id))
    .filter(({ kind }) => kind === 'APPOINTMENT_REMINDER')
    .map(({ minutesBefore, channel, status, reason }) => [minutesBefore, channel, status, reason].join(' ').trim())

describe('switched off', () => {
  test('nothing is said, and nothing is planned', async () => {
    await change({ enabled: false })
    const id = await book(3)
    await clock.pass({ days: 2 })
    expect(await own.runs(id)).toEqual([])
  })

  test('what is planned already is skipped at its time', async () => {
    const id = await book(3)
    await change({ enabled: false })
    expect(await reminders(id)).toEqual(['1440 SMS SCHEDULED'])
    await clock.pass({ days: 2 })
    const [run] = await own.runs(id)
    expect(run).toMatchObject({
      status: 'SKIPPED',
      reason: 'AUTOMATION_OFF',
      detail: 'This automation is switched off.',
      communication: null,
    })
    await change({ enabled: true })
    await clock.pass({ days: 1 })
    expect(await reminders(id)).toEqual(['1440 SMS SKIPPED AUTOMATION_OFF'])
  })

  test('and on again before its time, it is sent once', async () => {
    const id = await book(3)
    await change({ enabled: false })
    await clock.pass({ days: 1 })
    await change({ enabled: true })
    await change({ enabled: true })
    await clock.pass({ days: 1 })
    expect(await reminders(id)).toEqual(['1440 SMS SENT'])
  })

  test('and on again, what was booked meanwhile is reminded too', async () => {
    await change({ enabled: false })
    const id = await book(3)
    await change({ enabled: true })
    expect(await reminders(id)).toEqual(['1440 SMS SCHEDULED'])
    await clock.pass({ days: 2 })
    expect(await reminders(id)).toEqual(['1440 SMS SENT'])
  })

  test('a review is not asked for by hand either', async () => {
    const { customer } = await own.book({ startsAt: inDays(3) })
    const ask = async () => (await salon.ask(RequestReviewDocument, { input: { customerId: customer.id } })).requestReview
    expect(member(await ask(), 'ValidationError')).toMatchObject({
      message: 'Review requests are switched off: see notificationSettings.',
      path: ['input'],
    })
    await change({ enabled: true }, 'REVIEW_REQUEST')
    await own.set({ reviewLink: 'https://g.page/mavi' })
    member(await ask(), 'RequestReviewSuccess')
  })
})

describe('the times of reminders', () => {
  test('that are new are planned for what is booked already, where they are to come', async () => {
    const [near, far] = [await book(0.5), await book(3)]
    expect(await reminders(near)).toEqual(['1440 SMS SKIPPED TOO_LATE'])
    await change({ reminderMinutes: [120, 1440, 2880, 10_080] })
    expect(await reminders(near)).toEqual(['1440 SMS SKIPPED TOO_LATE', '120 SMS SCHEDULED'])
    expect((await reminders(far)).toSorted()).toEqual(['120 SMS SCHEDULED', '1440 SMS SCHEDULED', '2880 SMS SCHEDULED'])
    await clock.pass({ days: 3 })
    expect(await reminders(near)).toEqual(['1440 SMS SKIPPED TOO_LATE', '120 SMS SENT'])
    expect((await reminders(far)).toSorted()).toEqual(['120 SMS SENT', '1440 SMS SENT', '2880 SMS SENT'])
  })

  test('that are new are planned for as many as are booked, also at one and the same time', async () => {
    const startsAt = inDays(4)
    const sameTime = await Promise.all(Array.from({ length: 25 }, () => own.book({ startsAt })))
    const later = await Promise.all(Array.from({ length: 25 }, (_, index) => own.book({ startsAt: inDays(5 + index / 24) })))
    await change({ reminderMinutes: [1440, 60] })
    for (const { id } of [...sameTime, ...later]) expect(await reminders(id)).toContain('60 SMS SCHEDULED')
  })

  test('that are taken out are skipped at their time', async () => {
    await change({ reminderMinutes: [1440, 120] })
    const id = await book(3)
    await change({ reminderMinutes: [120] })
    await clock.pass({ days: 2 })
    const [first] = await own.runs(id)
    expect(first).toMatchObject({
      minutesBefore: 1440,
      status: 'SKIPPED',
      reason: 'SETTINGS_CHANGED',
      detail: 'A reminder at this time is not among the settings any more.',
    })
    await clock.pass({ days: 1 })
    expect(await reminders(id)).toEqual(['1440 SMS SKIPPED SETTINGS_CHANGED', '120 SMS SENT'])
  })

  test('that are taken out and put back before are sent once', async () => {
    const id = await book(3)
    await change({ reminderMinutes: [120] })
    await change({ reminderMinutes: [1440] })
    await clock.pass({ days: 3 })
    expect((await reminders(id)).toSorted()).toEqual(['120 SMS SKIPPED SETTINGS_CHANGED', '1440 SMS SENT'])
  })

  test('that are new reach an appointment whose transaction had read the settings before', async () => {
    const id = await book(3)
    const { rows } = await app.deps.pool.query<{ id: string }>('SELECT id FROM appointment ORDER BY id DESC LIMIT 1')
    await own.set({ automations: [{ kind: 'APPOINTMENT_REMINDER', reminderMinutes: [1440, 120] }] })
    await eventually(async () => expect(await reminders(id)).toContain('120 SMS SCHEDULED'))
    // As if it were committed only now: it was not there when the reminders were planned.
    await app.deps.pool.query('DELETE FROM automation_run WHERE minutes_before = 120 AND appointment_id = $1', [rows[0]?.id])
    expect(await reminders(id)).toEqual(['1440 SMS SCHEDULED'])
    await clock.settle()
    expect((await reminders(id)).toSorted()).toEqual(['120 SMS SCHEDULED', '1440 SMS SCHEDULED'])
  })
})

describe('the channels', () => {
  test('are those of the time when it is due, not of when it was planned', async () => {
    await change({ channels: ['WHATSAPP', 'SMS'] })
    const id = await book(3)
    expect(await reminders(id)).toEqual(['1440 WHATSAPP SCHEDULED'])
    await change({ channels: ['SMS'] })
    await clock.pass({ days: 2 })
    expect(await reminders(id)).toEqual(['1440 SMS SENT'])
  })

  test('of a text that is written until then', async () => {
    const id = await book(3)
    await change({ templates: [{ channel: 'SMS', body: 'Until {{appointment_time}}!' }] })
    await clock.pass({ days: 2 })
    expect((await own.runs(id))[0]?.communication?.body).toMatch(/^Until \d+:\d\d [AP]M!$/)
  })
})

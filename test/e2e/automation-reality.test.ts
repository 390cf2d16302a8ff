import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DisconnectChannelAccountDocument, UnmergeCustomersDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { automating, bodies, brief, nextPhone } from '../support/automations.ts'
import { merging } from '../support/merging.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { type SimulatedClock, simulateClock } from '../support/simulated-clock.ts'

let app: TestApp
let salon: TestOrganization
let clock: SimulatedClock
let on: ReturnType<typeof automating>

beforeAll(async () => {
  app = await startTestApp()
  salon = await openOrganization(app, { slug: 'salon', name: 'Salon Mavi', timezone: 'Europe/Istanbul' })
  on = automating(app, salon.ask)
})
afterAll(() => app?.close())
beforeEach(async () => {
  // A messaging window begins at the real time.
  clock = simulateClock(app, new Date(Date.now() + 1000))
  await on.set({
    automations: [
      { kind: 'BOOKING_CONFIRMATION', enabled: false },
      { kind: 'APPOINTMENT_REMINDER', channels: ['SMS', 'WHATSAPP'], reminderMinutes: [1440] },
    ],
  })
})

describe('an appointment that is not as it was', () => {
  test.each([
    ['canceled', 'APPOINTMENT_CANCELED', 'The appointment was canceled.'],
    ['completed', 'APPOINTMENT_COMPLETED', 'The appointment is over.'],
    ['moved', 'APPOINTMENT_RESCHEDULED', 'The appointment has another time now.'],
  ] as const)('%s: the reminder of before is not sent', async (what, reason, detail) => {
    const { id, startsAt } = await on.book()
    if (what === 'canceled') await on.cancel(id)
    else if (what === 'completed') await on.complete(id)
    else await on.reschedule(id, new Date(Date.parse(startsAt) + 86_400_000).toISOString())
    await clock.pass({ days: 3 })
    const [first, ...others] = (await on.runsOf(id)).filter(({ kind }) => kind === 'APPOINTMENT_REMINDER')
    expect(first).toMatchObject({ status: 'SKIPPED', reason, detail, communication: null })
    expect(others.map(({ status }) => status)).toEqual(what === 'moved' ? ['SENT'] : [])
  })

  test('moved twice within a minute: only the last time is told', async () => {
    await on.set({ automations: [{ kind: 'RESCHEDULE_NOTICE', delayMinutes: 1 }] })
    const { id } = await on.book()
    await on.reschedule(id, '2037-05-10T07:00:00Z')
    await on.reschedule(id, '2037-05-11T08:00:00Z')
    await clock.pass({ minutes: 1 })
    const notices = (await on.runsOf(id)).filter(({ kind }) => kind === 'RESCHEDULE_NOTICE')
    expect(brief(notices)).toEqual([
      'RESCHEDULE_NOTICE WHATSAPP SKIPPED APPOINTMENT_RESCHEDULED',
      'RESCHEDULE_NOTICE WHATSAPP SKIPPED MESSAGING_WINDOW_CLOSED',
      'RESCHEDULE_NOTICE SMS SENT',
    ])
    expect(bodies(notices)).toEqual(['Hi Ada, your appointment for Haircut has been moved to Monday, May 11, 2037 at 11:00 AM. Salon Mavi'])
    await on.cancel(id)
  })
})

describe('the channel', () => {
  test('that the customer has said STOP to is not used, the next one is', async () => {
    const phone = nextPhone()
    const { id } = await on.book({ phone, startsAt: new Date(clock.now().getTime() + 30 * 3_600_000).toISOString() })
    await salon.sms.inbound(phone, 'STOP')
    await salon.whatsapp.inbound(phone, 'Hello')
    await clock.pass({ hours: 7 })
    const runs = await on.runsOf(id)
    expect(brief(runs)).toEqual(['APPOINTMENT_REMINDER SMS SKIPPED OPTED_OUT', 'APPOINTMENT_REMINDER WHATSAPP SENT'])
    expect(runs[0]).toMatchObject({ step: 0, fallbackOf: null, detail: expect.stringContaining('opted out'), communication: null })
    expect(runs[1]).toMatchObject({ step: 1, fallbackOf: { id: runs[0]?.id, channel: 'SMS', reason: 'OPTED_OUT' } })
  })

  test('is WhatsApp with our own text while its window is open, and the next one when it has closed', async () => {
    await on.set({ automations: [{ kind: 'APPOINTMENT_REMINDER', channels: ['WHATSAPP', 'SMS'], reminderMinutes: [1440, 60] }] })
    const phone = nextPhone()
    const { id } = await on.book({ phone, startsAt: new Date(clock.now().getTime() + 26 * 3_600_000).toISOString() })
    await salon.whatsapp.inbound(phone, 'Hello')
    await clock.pass({ hours: 26 })
    expect(brief(await on.runsOf(id))).toEqual([
      'APPOINTMENT_REMINDER WHATSAPP SENT',
      'APPOINTMENT_REMINDER WHATSAPP SKIPPED MESSAGING_WINDOW_CLOSED',
      'APPOINTMENT_REMINDER SMS SENT',
    ])
  })

  test('that was disconnected since is not used, the next one is', async () => {
    const org = await openOrganization(app, { slug: 'disconnected' })
    const there = automating(app, org.ask)
    await there.set({ automations: [{ kind: 'BOOKING_CONFIRMATION', channels: ['SMS', 'WHATSAPP'], delayMinutes: 10 }] })
    const phone = nextPhone()
    const { id } = await there.book({ phone })
    await org.whatsapp.inbound(phone, 'Hello')
    await org.ask(DisconnectChannelAccountDocument, { input: { channelAccountId: org.sms.id } })
    await clock.pass({ minutes: 10 })
    const runs = (await there.runsOf(id)).filter(({ kind }) => kind === 'BOOKING_CONFIRMATION')
    expect(brief(runs)).toEqual(['BOOKING_CONFIRMATION SMS SKIPPED CHANNEL_NOT_CONNECTED', 'BOOKING_CONFIRMATION WHATSAPP SENT'])
    expect(runs[0]?.detail).toBe('No SMS account is connected.')
  })
})

describe('a customer who is merged', () => {
  test('is reminded as the survivor, and as themselves when that is undone', async () => {
    const people = merging(salon)
    const [grace, hopper] = [await people.writer('sms'), await people.writer('sms')]
    const startsAt = (days: number) => new Date(clock.now().getTime() + days * 86_400_000).toISOString()
    const whose = { customer: { customerId: hopper.id } }
    const [soon, later] = [await on.book({ ...whose, startsAt: startsAt(2) }), await on.book({ ...whose, startsAt: startsAt(4) })]
    const { merge } = await people.merge(grace, hopper)
    const customersOf = async (id: string) => new Set((await on.runsOf(id)).map(({ customer }) => customer.id))
    expect([await customersOf(soon.id), await customersOf(later.id)]).toEqual([new Set([grace.id]), new Set([grace.id])])
    expect((await on.runs({ customerId: hopper.id })).map(({ appointment }) => appointment?.id)).toEqual([soon.id, later.id])
    await clock.pass({ days: 1 })
    expect(brief(await on.runsOf(soon.id))).toEqual(['APPOINTMENT_REMINDER SMS SENT'])
    expect((await on.history(grace.id)).filter(({ automationRun }) => automationRun?.status === 'SENT')).toHaveLength(1)
    expect((await salon.ask(UnmergeCustomersDocument, { input: { mergeId: merge.id } })).unmergeCustomers?.__typename).toBe(
      'UnmergeCustomersSuccess',
    )
    expect([await customersOf(soon.id), await customersOf(later.id)]).toEqual([new Set([hopper.id]), new Set([hopper.id])])
    await clock.pass({ days: 2 })
    const [run] = await on.runsOf(later.id)
    expect(run).toMatchObject({ status: 'SENT', customer: { id: hopper.id } })
    const sent = await app.deps.db.communication.findMany({ where: { address: hopper.number, direction: 'OUTBOUND' } })
    expect(sent.map(({ customerId }) => customerId)).toContain(hopper.row)
  })

  test('when both had an appointment is reminded of both', async () => {
    const people = merging(salon)
    const [one, other] = [await people.writer('whatsapp'), await people.writer('whatsapp')]
    const booked = [await on.book({ customer: { customerId: one.id } }), await on.book({ customer: { customerId: other.id } })]
    await people.merge(one, other)
    await salon.whatsapp.inbound(one.number, 'Hello')
    await clock.pass({ days: 2 })
    for (const { id } of booked) {
      const runs = await on.runsOf(id)
      expect(runs.every(({ customer }) => customer.id === one.id)).toBe(true)
      expect(runs.filter(({ status }) => status === 'SENT')).toHaveLength(1)
    }
  })
})

describe('when the worker was away for a day', () => {
  test('of several reminders that are due only the last is sent, the confirmation still is, one that is not wanted stays away', async () => {
    await on.set({
      automations: [
        { kind: 'BOOKING_CONFIRMATION', enabled: true, channels: ['SMS'], delayMinutes: 5 },
        { kind: 'APPOINTMENT_REMINDER', reminderMinutes: [36 * 60, 24 * 60, 120] },
      ],
    })
    const startsAt = new Date(clock.now().getTime() + 40 * 3_600_000).toISOString()
    const booked = await Promise.all(Array.from({ length: 5 }, () => on.book({ startsAt })))
    await clock.jumpTo(new Date(Date.parse(startsAt) - 3_600_000))
    for (const { id } of booked) {
      const runs = await on.runsOf(id)
      expect(runs.map(({ minutesBefore, status, reason, detail }) => [minutesBefore, status, reason, detail])).toEqual([
        [null, 'SENT', null, null],
        [36 * 60, 'SKIPPED', 'TOO_LATE', 'A later reminder of the same appointment was due already.'],
        [24 * 60, 'SKIPPED', 'TOO_LATE', 'A later reminder of the same appointment was due already.'],
        [120, 'SENT', null, null],
      ])
    }
  })

  test('a reminder does not give way to one that is not wanted any more', async () => {
    await on.set({ automations: [{ kind: 'APPOINTMENT_REMINDER', reminderMinutes: [1440, 120] }] })
    const startsAt = new Date(clock.now().getTime() + 30 * 3_600_000).toISOString()
    const { id } = await on.book({ startsAt })
    await on.set({ automations: [{ kind: 'APPOINTMENT_REMINDER', reminderMinutes: [1440] }] })
    await clock.jumpTo(new Date(Date.parse(startsAt) - 3_600_000))
    expect((await on.runsOf(id)).map(({ minutesBefore, status, reason }) => [minutesBefore, status, reason])).toEqual([
      [1440, 'SENT', null],
      [120, 'SKIPPED', 'SETTINGS_CHANGED'],
    ])
  })

  test('nothing is sent of what has begun meanwhile', async () => {
    const { id, startsAt } = await on.book()
    await clock.jumpTo(startsAt)
    expect(brief(await on.runsOf(id))).toEqual(['APPOINTMENT_REMINDER SMS SKIPPED APPOINTMENT_PASSED'])
  })
})

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { localId } from '../../schema/global-id.ts'
import {
  CancelMessageDocument,
  CreateCustomerDocument,
  ScheduledMessagesDocument,
  SendMessageDocument,
  type SendMessageInput,
  UpdateScheduledMessageDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { automating, brief, nextPhone } from '../support/automations.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'
import { type SimulatedClock, simulateClock } from '../support/simulated-clock.ts'

// Istanbul is three hours ahead of UTC all year.
const EVENING = '2037-02-04T18:00:00.000Z'
const MORNING = '2037-02-05T05:00:00.000Z'

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
beforeEach(async () => {
  clock = simulateClock(app, '2037-02-01T09:00:00Z')
  await on.set({
    quietHours: { from: '21:00', until: '08:00' },
    automations: [
      { kind: 'BOOKING_CONFIRMATION', enabled: false, channels: ['SMS'] },
      { kind: 'CANCELLATION_NOTICE', enabled: false },
      { kind: 'APPOINTMENT_REMINDER', channels: ['SMS'], reminderMinutes: [1440] },
    ],
  })
})

const reminders = (...reminderMinutes: number[]) => on.set({ automations: [{ kind: 'APPOINTMENT_REMINDER', reminderMinutes }] })

async function customerIn(timezone: string | null, phone = nextPhone()) {
  const input = { name: 'Grace Hopper', timezone, identities: [{ kind: 'PHONE' as const, value: phone }] }
  return member((await salon.ask(CreateCustomerDocument, { input })).createCustomer, 'CreateCustomerSuccess').customer.id
}

describe('a reminder that is due in the quiet hours', () => {
  test('is held until they end, which can be seen, and sent then', async () => {
    const { id } = await on.book({ startsAt: '2037-02-05T18:00:00Z' })
    await clock.advanceTo(new Date(Date.parse(EVENING) - 1))
    expect(await on.runsOf(id)).toMatchObject([{ status: 'SCHEDULED', dueAt: EVENING, heldUntil: null }])
    await clock.advanceTo(EVENING)
    expect(await on.runsOf(id)).toMatchObject([
      { status: 'SCHEDULED', dueAt: EVENING, heldUntil: MORNING, settledAt: null, communication: null },
    ])
    await clock.advanceTo(new Date(Date.parse(MORNING) - 1))
    expect(brief(await on.runsOf(id))).toEqual(['APPOINTMENT_REMINDER SMS SCHEDULED'])
    await clock.advanceTo(MORNING)
    expect(await on.runsOf(id)).toMatchObject([{ status: 'SENT', dueAt: EVENING, heldUntil: null, settledAt: MORNING }])
  })

  test.each([
    ['in the organization’s time zone', null, '2037-02-05T18:30:00Z', MORNING],
    ['in the customer’s own', 'America/New_York', '2037-02-06T03:00:00Z', '2037-02-05T13:00:00.000Z'],
    ['not in the customer’s own: it goes out', 'America/New_York', '2037-02-05T18:30:00Z', null],
    ['where the number is from', null, '2037-02-05T22:00:00Z', '2037-02-05T08:00:00.000Z', '+447400123456'],
    ['not where the number is from: it goes out', null, '2037-02-05T18:30:00Z', null, '+447400123457'],
    ['where nobody knows from its number: in the organization’s', null, '2037-02-05T18:30:00Z', MORNING, '+14155550100'],
  ])('%s', async (_whose, timezone, startsAt, heldUntil, phone?: string) => {
    const { id } = await on.book({ customer: { customerId: await customerIn(timezone, phone) }, startsAt })
    await clock.advanceTo(new Date(Date.parse(startsAt) - 86_400_000))
    expect(await on.runsOf(id)).toMatchObject([{ status: heldUntil === null ? 'SENT' : 'SCHEDULED', heldUntil }])
  })

  test('is not sent where the appointment has begun by their end', async () => {
    await reminders(60)
    const { id } = await on.book({ startsAt: '2037-02-05T04:00:00Z' })
    await clock.advanceTo(MORNING)
    expect(brief(await on.runsOf(id))).toEqual(['APPOINTMENT_REMINDER SMS SKIPPED APPOINTMENT_PASSED'])
  })

  test('is one where several wait: the last', async () => {
    await reminders(600, 480)
    const { id } = await on.book({ startsAt: '2037-02-05T06:00:00Z' })
    await clock.advanceTo('2037-02-05T04:59:59Z')
    expect((await on.runsOf(id)).map(({ heldUntil }) => heldUntil)).toEqual([MORNING, MORNING])
    await clock.advanceTo(MORNING)
    expect((await on.runsOf(id)).map(({ minutesBefore, status, reason }) => [minutesBefore, status, reason])).toEqual([
      [600, 'SKIPPED', 'TOO_LATE'],
      [480, 'SENT', null],
    ])
  })

  test.each(['canceled', 'moved'] as const)('is not sent where the appointment is %s while it waits', async (what) => {
    const { id } = await on.book({ startsAt: '2037-02-05T18:00:00Z' })
    await clock.advanceTo(EVENING)
    if (what === 'canceled') await on.cancel(id)
    else await on.reschedule(id, '2037-03-05T09:00:00Z')
    await clock.advanceTo(MORNING)
    const [first] = (await on.runsOf(id)).filter(({ kind }) => kind === 'APPOINTMENT_REMINDER')
    expect(first).toMatchObject({
      status: 'SKIPPED',
      reason: what === 'canceled' ? 'APPOINTMENT_CANCELED' : 'APPOINTMENT_RESCHEDULED',
      heldUntil: null,
    })
  })

  test.each([
    ['later: it waits on', { from: '21:00', until: '09:30' }, '2037-02-05T06:30:00.000Z'],
    ['earlier: it is sent at the time that it was held until', { from: '21:00', until: '06:00' }, MORNING],
    ['never: it is sent at the time that it was held until', null, MORNING],
  ])('when they come to end %s', async (_when, quietHours, sentAt) => {
    const { id } = await on.book({ startsAt: '2037-02-05T18:00:00Z' })
    await clock.advanceTo(EVENING)
    await on.set({ quietHours })
    await clock.advanceTo(new Date(Date.parse(sentAt) - 1))
    expect(await on.runsOf(id)).toMatchObject([{ status: 'SCHEDULED', heldUntil: sentAt }])
    await clock.advanceTo(sentAt)
    expect(await on.runsOf(id)).toMatchObject([{ status: 'SENT', settledAt: sentAt }])
  })

  test('when the clocks change in that night: until their end by the clock on the wall', async () => {
    const { id } = await on.book({ customer: { customerId: await customerIn('Europe/Berlin') }, startsAt: '2037-03-29T22:00:00Z' })
    await clock.advanceTo('2037-03-28T22:00:00Z')
    expect(await on.runsOf(id)).toMatchObject([{ heldUntil: '2037-03-29T06:00:00.000Z' }])
  })
})

test('what happens in the quiet hours is confirmed when they end', async () => {
  await on.set({ automations: [{ kind: 'BOOKING_CONFIRMATION', enabled: true }] })
  await clock.advanceTo(EVENING)
  const { id } = await on.book({ startsAt: '2037-02-05T12:00:00Z' })
  await clock.settle()
  const confirmation = async () => (await on.runsOf(id)).filter(({ kind }) => kind === 'BOOKING_CONFIRMATION')
  expect(await confirmation()).toMatchObject([{ status: 'SCHEDULED', dueAt: EVENING, heldUntil: MORNING }])
  await clock.advanceTo(MORNING)
  expect(brief(await confirmation())).toEqual(['BOOKING_CONFIRMATION SMS SENT'])
})

describe('what a person sends', () => {
  const send = async (more: Partial<SendMessageInput> = {}) => {
    const input = { to: { customerId: await customerIn(null) }, channel: 'SMS' as const, content: { text: 'As it was' }, ...more }
    return member((await salon.ask(SendMessageDocument, { input })).sendMessage, 'SendMessageSuccess').communication.id
  }
  const row = (id: string) => app.deps.db.communication.findUniqueOrThrow({ where: { id: present(localId('Communication', id)) } })
  const changes = async (id: string) =>
    (await app.deps.db.event.findMany({ where: { communicationId: localId('Communication', id), type: 'COMMUNICATION_CHANGED' } })).map(
      ({ data }) => data,
    )
  const scheduled = async (id: string) => {
    const { edges } = (await salon.ask(ScheduledMessagesDocument, {})).scheduledMessages
    return edges.find(({ node }) => node.id === id)?.node.sendAt ?? null
  }
  /** Scheduled for the evening, and held. */
  const held = async () => {
    const id = await send({ sendAt: EVENING })
    await clock.advanceTo(EVENING)
    return id
  }

  test('goes out now, at any time', async () => {
    await clock.advanceTo('2037-02-04T22:00:00Z')
    const id = await send()
    await clock.settle()
    expect(await row(id)).toMatchObject({ deliveryStatus: 'SENT', sendAt: null })
  })

  test('for later waits until they end: its time says so, in the list and live, and it is sent then', async () => {
    const id = await send({ sendAt: EVENING })
    await clock.advanceTo(new Date(Date.parse(EVENING) - 1))
    expect([await scheduled(id), await changes(id)]).toEqual([EVENING, []])
    await clock.advanceTo(EVENING)
    expect([await scheduled(id), await changes(id)]).toEqual([MORNING, [{ change: 'schedule' }]])
    await clock.advanceTo(new Date(Date.parse(MORNING) - 1))
    expect(await row(id)).toMatchObject({ deliveryStatus: 'SCHEDULED', attempts: 0 })
    await clock.advanceTo(MORNING)
    expect([await row(id), await changes(id)]).toMatchObject([{ deliveryStatus: 'SENT', attempts: 1 }, [{ change: 'schedule' }]])
  })

  test('can be changed while it is held', async () => {
    const id = await held()
    const input = { communicationId: id, sendAt: '2037-02-05T10:00:00.000Z', content: { text: 'Changed' } }
    const answer = (await salon.ask(UpdateScheduledMessageDocument, { input })).updateScheduledMessage
    expect(member(answer, 'UpdateScheduledMessageSuccess').communication).toMatchObject({ sendAt: input.sendAt, body: 'Changed' })
    await clock.advanceTo(MORNING)
    expect(await row(id)).toMatchObject({ deliveryStatus: 'SCHEDULED' })
    await clock.advanceTo(input.sendAt)
    expect(await row(id)).toMatchObject({ deliveryStatus: 'SENT', body: 'Changed', attempts: 1 })
  })

  test('can be moved into the night again, and is held again', async () => {
    const id = await held()
    const input = { communicationId: id, sendAt: '2037-02-04T20:00:00.000Z' }
    member((await salon.ask(UpdateScheduledMessageDocument, { input })).updateScheduledMessage, 'UpdateScheduledMessageSuccess')
    await clock.advanceTo(input.sendAt)
    expect(await scheduled(id)).toBe(MORNING)
    await clock.advanceTo(MORNING)
    expect(await row(id)).toMatchObject({ deliveryStatus: 'SENT', attempts: 1 })
  })

  test('can be withdrawn while it is held', async () => {
    const id = await held()
    member((await salon.ask(CancelMessageDocument, { input: { communicationId: id } })).cancelMessage, 'CancelMessageSuccess')
    await clock.advanceTo(MORNING)
    expect(await row(id)).toMatchObject({ deliveryStatus: 'CANCELED', attempts: 0 })
  })
})

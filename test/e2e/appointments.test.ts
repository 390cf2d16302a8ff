import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  AutomationRunsDocument,
  CancelAppointmentDocument,
  CompleteAppointmentDocument,
  CreateAppointmentDocument,
  type CreateAppointmentInput,
  CustomerHistoryDocument,
  RescheduleAppointmentDocument,
  UpdateNotificationSettingsDocument,
  type UpdateNotificationSettingsInput,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member } from '../support/result.ts'
import { type SimulatedClock, simulateClock } from '../support/simulated-clock.ts'

const PHONE = '+905551110000'
let app: TestApp
let salon: TestOrganization
let clock: SimulatedClock
let phones = 0

beforeAll(async () => {
  app = await startTestApp()
  clock = simulateClock(app, '2027-02-01T09:00:00Z')
  salon = await openOrganization(app, { slug: 'salon', name: 'Salon Mavi', timezone: 'Europe/Istanbul' })
})
afterAll(() => app.close())

const nextPhone = () => `${PHONE.slice(0, -4)}${String(++phones).padStart(4, '0')}`

async function book(more: Partial<CreateAppointmentInput> & { phone?: string } = {}) {
  const { phone = nextPhone(), ...rest } = more
  const startsAt = rest.startsAt ?? new Date(clock.now().getTime() + 3 * 86_400_000).toISOString()
  const input = {
    customer: { contact: { name: 'Ada Lovelace', identities: [{ kind: 'PHONE' as const, value: phone }] } },
    service: 'Haircut',
    startsAt,
    endsAt: new Date(Date.parse(startsAt) + 3_600_000).toISOString(),
    ...rest,
  }
  return member((await salon.ask(CreateAppointmentDocument, { input })).createAppointment, 'CreateAppointmentSuccess').appointment
}

const set = async (input: UpdateNotificationSettingsInput) =>
  member((await salon.ask(UpdateNotificationSettingsDocument, { input })).updateNotificationSettings, 'UpdateNotificationSettingsSuccess')

async function runsOf(appointmentId: string) {
  const { automationRuns } = await salon.ask(AutomationRunsDocument, { filter: { appointmentId } })
  return automationRuns.nodes.toReversed()
}

const brief = (runs: Awaited<ReturnType<typeof runsOf>>) =>
  runs.map(({ kind, channel, status, reason }) => [kind, channel, status, reason].join(' ').trim())

describe('an appointment', () => {
  test('is confirmed at once, and its customer reminded a day before, by the first channel that can be used', async () => {
    const { id } = await book({ startsAt: '2027-02-04T11:30:00.000Z' })
    await clock.settle()
    expect(brief(await runsOf(id))).toEqual([
      'BOOKING_CONFIRMATION WHATSAPP SKIPPED MESSAGING_WINDOW_CLOSED',
      'BOOKING_CONFIRMATION SMS SENT',
      'APPOINTMENT_REMINDER WHATSAPP SCHEDULED',
    ])
    await clock.advanceTo('2027-02-03T11:29:59Z')
    expect(brief(await runsOf(id))).toContain('APPOINTMENT_REMINDER WHATSAPP SCHEDULED')
    await clock.advanceTo('2027-02-03T11:30:00Z')
    const runs = await runsOf(id)
    expect(brief(runs).slice(2)).toEqual(['APPOINTMENT_REMINDER WHATSAPP SKIPPED MESSAGING_WINDOW_CLOSED', 'APPOINTMENT_REMINDER SMS SENT'])
    expect(runs[3]).toMatchObject({
      dueAt: '2027-02-03T11:30:00.000Z',
      minutesBefore: 1440,
      fallbackOf: { channel: 'WHATSAPP', reason: 'MESSAGING_WINDOW_CLOSED' },
      communication: {
        body: 'Hi Ada, a reminder of your appointment for Haircut on Thursday, February 4, 2027 at 2:30 PM. See you soon! Salon Mavi',
      },
    })
  })
})

void [CancelAppointmentDocument, CompleteAppointmentDocument, CustomerHistoryDocument, RescheduleAppointmentDocument, set]

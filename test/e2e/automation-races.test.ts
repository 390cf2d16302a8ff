import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { localId } from '../../schema/global-id.ts'
import { deliverMessage } from '../../src/domain/deliver-message.ts'
import { followUpFailure, runAutomation } from '../../src/domain/run-automation.ts'
import {
  AddCustomerIdentityDocument,
  CreateCustomerDocument,
  MergeCustomersDocument,
  UnmergeCustomersDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { automating, brief, contact, nextPhone } from '../support/automations.ts'
import { eventually } from '../support/eventually.ts'
import { member, present } from '../support/result.ts'
import { hold, someoneWaits } from '../support/row-locks.ts'
import { startTwilioOrganization, type TwilioOrganization } from '../support/twilio-organization.ts'

/** Two processes on one database; neither has a worker: the tests are the workers. */
let twilio: TwilioOrganization
let second: TestApp
let on: ReturnType<typeof automating>

beforeAll(async () => {
  twilio = await startTwilioOrganization('salon', { WORKER: 'off' })
  const { DATA_DIR } = twilio.app.deps.config
  second = await startTestApp({ TWILIO_API_URL: twilio.fake.url, DATABASE_URL: twilio.app.databaseUrl, DATA_DIR, WORKER: 'off' })
  on = automating(twilio.app, twilio.org.ask)
  await on.set({
    automations: [
      { kind: 'BOOKING_CONFIRMATION', channels: ['SMS', 'WHATSAPP'] },
      { kind: 'RESCHEDULE_NOTICE', channels: ['SMS'] },
      { kind: 'CANCELLATION_NOTICE', enabled: false },
      { kind: 'APPOINTMENT_REMINDER', enabled: false },
    ],
  })
})
afterAll(async () => {
  await second?.close()
  await twilio?.close()
})

const apps = () => [twilio.app, second]
/** Both processes at once, `count` times. */
const everywhere = <T>(count: number, work: (app: TestApp) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(present(apps()[index % 2]))))
const rowOf = (id: string) => present(localId('AutomationRun', id))
const messageOf = (runId: string) => twilio.app.deps.db.communication.findFirst({ where: { automationRunId: runId } })
const acceptedFor = (communicationId: string) =>
  twilio.fake.messages.filter(({ params }) => String(params.StatusCallback).endsWith(`communicationId=${communicationId}`))

/** An appointment and the run of its confirmation, which is due. */
async function booked() {
  const appointment = await on.book()
  const [run] = await on.runsOf(appointment.id)
  return { ...appointment, runId: rowOf(present(run).id) }
}

/** What the worker does with the run, and with its message. */
async function carryOut(app: TestApp, runId: string): Promise<void> {
  await runAutomation(app.deps, runId)
  const message = await messageOf(runId)
  if (message !== null) await deliverMessage(app.deps, message.id)
}

describe('whoever comes second finds it done', () => {
  test('ten who run the same automation write one message, and ten who deliver it send it once', async () => {
    const { id, runId } = await booked()
    await everywhere(10, ({ deps }) => runAutomation(deps, runId))
    expect(brief(await on.runsOf(id))).toEqual(['BOOKING_CONFIRMATION SMS SENT'])
    const messages = await twilio.app.deps.db.communication.findMany({ where: { automationRunId: runId } })
    expect(messages).toHaveLength(1)
    const communicationId = present(messages[0]).id
    const outcomes = await everywhere(10, async ({ deps }) => (await deliverMessage(deps, communicationId)).outcome)
    expect([outcomes.filter((outcome) => outcome === 'sent').length, acceptedFor(communicationId).length]).toEqual([1, 1])
  })

  test('ten who follow up a failure try the next channel once', async () => {
    twilio.fake.next({ status: 400, code: 21211 })
    const { id, runId } = await booked()
    await carryOut(twilio.app, runId)
    await everywhere(10, ({ deps }) => followUpFailure(deps, runId))
    expect(brief(await on.runsOf(id))).toEqual([
      'BOOKING_CONFIRMATION SMS FAILED DELIVERY_FAILED',
      'BOOKING_CONFIRMATION WHATSAPP SCHEDULED',
    ])
  })

  test('twenty appointments of one customer, each run by two at once: a message each', async () => {
    const phone = nextPhone()
    const all = await Promise.all(Array.from({ length: 20 }, () => on.book({ phone })))
    const runs = await Promise.all(all.map(async ({ id }) => rowOf(present((await on.runsOf(id))[0]).id)))
    await Promise.all(runs.flatMap((runId) => apps().map((app) => carryOut(app, runId).catch(String))))
    expect(twilio.fake.messages.filter(({ params }) => params.To === phone)).toHaveLength(20)
  })
})

describe('a message whose reason goes while it is sent', () => {
  const rounds = 50

  test(`canceled, ${rounds} times: none whose sending began after the cancellation`, async () => {
    const ends = new Set<string>()
    for (let round = 0; round < rounds; round++) {
      const { id, runId } = await booked()
      // In every other round the message is written, and only its sending races.
      if (round % 2 === 1) await runAutomation(second.deps, runId)
      await Promise.all([
        ...(round % 4 < 2 ? [on.cancel(id), carryOut(second, runId)] : [carryOut(second, runId), on.cancel(id)]),
        round % 3 === 0 ? runAutomation(twilio.app.deps, runId) : null,
      ])
      await carryOut(second, runId)
      const appointment = await twilio.app.deps.db.appointment.findUniqueOrThrow({ where: { id: present(localId('Appointment', id)) } })
      const message = await messageOf(runId)
      const accepted = message === null ? [] : acceptedFor(message.id)
      const [line] = brief(await on.runsOf(id))
      ends.add(`${line} ${message?.deliveryStatus ?? 'unwritten'}`)
      expect(`${accepted.length} ${line}`).toMatch(/^(1 .* SENT|0 .* SKIPPED APPOINTMENT_CANCELED)$/)
      if (accepted.length === 1)
        expect(present(message?.attemptStartedAt).getTime()).toBeLessThanOrEqual(appointment.statusChangedAt.getTime())
    }
    for (const end of ends)
      expect([
        'BOOKING_CONFIRMATION SMS SENT SENT',
        'BOOKING_CONFIRMATION SMS SKIPPED APPOINTMENT_CANCELED CANCELED',
        'BOOKING_CONFIRMATION SMS SKIPPED APPOINTMENT_CANCELED unwritten',
      ]).toContain(end)
    expect(ends.size).toBeGreaterThan(1)
  })

  test('moved, 15 times: none with the former time whose sending began after the move', async () => {
    for (let round = 0; round < 15; round++) {
      const { id, runId } = await booked()
      if (round % 2 === 1) await runAutomation(second.deps, runId)
      await Promise.all([on.reschedule(id, '2090-05-02T10:00:00Z'), carryOut(second, runId)])
      await carryOut(second, runId)
      const [confirmation, notice] = await on.runsOf(id)
      const message = await messageOf(runId)
      const accepted = message === null ? [] : acceptedFor(message.id)
      expect(`${accepted.length} ${brief([present(confirmation)])}`).toMatch(/^(1 .* SENT|0 .* SKIPPED APPOINTMENT_RESCHEDULED)$/)
      if (accepted.length === 1) expect(present(message?.attemptStartedAt).getTime()).toBeLessThanOrEqual(Date.parse(present(notice).dueAt))
    }
  })
})

test('while a customer writes, books and is changed by all their addresses, nobody waits for each other for ever', async () => {
  const identities = [
    { kind: 'PHONE' as const, value: nextPhone() },
    { kind: 'EMAIL' as const, value: 'ada@example.com' },
  ]
  const phone = present(identities[0]).value
  const { customer } = await on.book({ customer: { contact: { identities } } })
  for (let round = 0; round < 15; round++) {
    const [, , , ...added] = await Promise.all([
      twilio.org.sms.inbound(phone, 'Hello'),
      on.book({ customer: { contact: { identities } } }),
      on.book({ customer: { contact: { identities: identities.toReversed() } } }),
      ...identities.map((identity) => twilio.org.ask(AddCustomerIdentityDocument, { input: { customerId: customer.id, ...identity } })),
    ])
    expect(added.map(({ addCustomerIdentity }) => addCustomerIdentity?.__typename)).toEqual(Array(2).fill('AddCustomerIdentitySuccess'))
  }
})

describe('while customers are merged', () => {
  const made = async () => {
    const phone = nextPhone()
    const input = { identities: [{ kind: 'PHONE' as const, value: phone }] }
    return {
      phone,
      id: member((await twilio.org.ask(CreateCustomerDocument, { input })).createCustomer, 'CreateCustomerSuccess').customer.id,
    }
  }
  const merge = async (survivorId: string, mergedId: string) => {
    const answer = await twilio.org.ask(MergeCustomersDocument, { input: { survivorId, mergedId } })
    return member(answer.mergeCustomers, 'MergeCustomersSuccess').merge.id
  }
  const unmerge = async (mergeId: string) =>
    member((await twilio.org.ask(UnmergeCustomersDocument, { input: { mergeId } })).unmergeCustomers, 'UnmergeCustomersSuccess')

  test('appointments of both are made: all are the survivor’s, and no two wait for each other', async () => {
    for (let round = 0; round < 10; round++) {
      const [one, other] = [await made(), await made()]
      const [, ...appointments] = await Promise.all([
        merge(one.id, other.id),
        on.book({ customer: contact(one.phone) }),
        on.book({ customer: contact(other.phone) }),
        on.book({ customer: { customerId: other.id } }),
        on.book({ customer: { contact: { identities: [one, other].map(({ phone }) => ({ kind: 'PHONE', value: phone })) } } }),
      ])
      for (const { id } of appointments) {
        const runs = await on.runsOf(id)
        expect(runs.map(({ customer }) => customer.id)).toEqual([one.id])
      }
    }
  })

  test.each(['merge', 'unmerge'] as const)('or parted, a message of theirs is delivered: no deadlock (%s)', async (what) => {
    const [one, other] = [await made(), await made()]
    const { id } = await on.book({ customer: { customerId: other.id } })
    const runId = rowOf(present((await on.runsOf(id))[0]).id)
    await runAutomation(twilio.app.deps, runId)
    const mergeId = what === 'unmerge' ? await merge(one.id, other.id) : null
    const { id: communicationId } = present(await messageOf(runId))
    const { pool } = twilio.app.deps
    const held = await hold(pool, communicationId)
    const merging = mergeId === null ? merge(one.id, other.id) : unmerge(mergeId)
    await someoneWaits(pool, 1)
    const delivering = deliverMessage(second.deps, communicationId)
    await someoneWaits(pool, 2)
    await held.release()
    const [, { outcome }] = await Promise.all([merging, delivering])
    expect([outcome, acceptedFor(communicationId).length]).toEqual(['sent', 1])
  })

  test('the run of the merged one is carried out as the survivor’s, and that of who is parted as theirs', async () => {
    const [one, other] = [await made(), await made()]
    const { id } = await on.book({ customer: { customerId: other.id } })
    const runId = rowOf(present((await on.runsOf(id))[0]).id)
    const mergeId = await merge(one.id, other.id)
    await Promise.all([unmerge(mergeId), ...apps().map((app) => carryOut(app, runId))])
    await eventually(async () => expect(brief(await on.runsOf(id))).toEqual(['BOOKING_CONFIRMATION SMS SENT']))
    const [run] = await on.runsOf(id)
    expect(run?.customer.id).toBe(other.id)
  })
})

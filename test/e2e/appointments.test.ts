import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { globalId, localId } from '../../schema/global-id.ts'
import { newId } from '../../src/domain/ids.ts'
import {
  AppointmentsDocument,
  type AppointmentsQuery,
  AutomationEventsDocument,
  type AutomationEventsSubscription,
  CreateAppointmentDocument,
  CreateCustomerDocument,
  CustomerAppointmentsDocument,
  CustomerProfileDocument,
  ViewerDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { automating, brief, contact, nextPhone } from '../support/automations.ts'
import { eventually } from '../support/eventually.ts'
import { followers, overSocket } from '../support/live.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { dataOf, member, present } from '../support/result.ts'
import { type SimulatedClock, simulateClock } from '../support/simulated-clock.ts'

const START = '2037-02-10T10:00:00.000Z'
const END = '2037-02-10T11:00:00.000Z'

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

const customer = async (identities: { kind: 'PHONE' | 'EMAIL'; value: string }[], name: string | null = null) =>
  member((await salon.ask(CreateCustomerDocument, { input: { name, identities } })).createCustomer, 'CreateCustomerSuccess').customer.id

const identitiesOf = async (id: string) => {
  const { name, identities, mergeSuggestions } = present((await salon.ask(CustomerProfileDocument, { id })).customer)
  return { name, identities: identities.map(({ kind, value }) => `${kind} ${value}`).toSorted(), mergeSuggestions }
}

describe('whose appointment', () => {
  test('a customer’s, by id', async () => {
    const customerId = await customer([], 'Grace Hopper')
    const appointment = await on.book({ customer: { customerId }, startsAt: START, staff: { name: 'Deniz' } })
    expect(appointment).toEqual({
      id: appointment.id,
      externalId: null,
      service: 'Haircut',
      staffName: 'Deniz',
      staffMember: null,
      startsAt: START,
      endsAt: END,
      timezone: 'Europe/Istanbul',
      status: 'BOOKED',
      customer: { id: customerId, name: 'Grace Hopper' },
    })
  })

  test('a contact’s who is known by phone: what is new is added, the name stays', async () => {
    const phone = nextPhone()
    const customerId = await customer([{ kind: 'PHONE', value: phone }], 'Grace Hopper')
    const identities = [
      { kind: 'EMAIL' as const, value: 'Grace@Navy.example' },
      { kind: 'PHONE' as const, value: phone.replace('+90', '+90 ') },
    ]
    const booked = await on.book({ customer: { contact: { name: 'G. Hopper', identities } } })
    expect(booked.customer).toEqual({ id: customerId, name: 'Grace Hopper' })
    const { identities: now, mergeSuggestions } = await identitiesOf(customerId)
    expect(now).toEqual(['EMAIL grace@navy.example', `PHONE ${phone}`])
    expect(mergeSuggestions).toEqual([])
    expect((await on.history(customerId)).map(({ type }) => type)).toEqual(['APPOINTMENT_CREATED', 'CUSTOMER_CHANGED', 'CUSTOMER_CREATED'])
  })

  test('a contact’s who is known by e-mail and has no name yet gets this one', async () => {
    const customerId = await customer([{ kind: 'EMAIL', value: 'lin@example.com' }])
    const booked = await on.book({ customer: { contact: { name: 'Lin', identities: [{ kind: 'EMAIL', value: 'LIN@example.com' }] } } })
    expect(booked.customer).toEqual({ id: customerId, name: 'Lin' })
  })

  test('a contact’s who is new', async () => {
    const phone = nextPhone()
    const booked = await on.book({ phone, name: 'Ada Lovelace' })
    expect(await identitiesOf(booked.customer.id)).toEqual({ name: 'Ada Lovelace', identities: [`PHONE ${phone}`], mergeSuggestions: [] })
    expect((await on.book({ phone, name: 'Somebody Else' })).customer).toEqual(booked.customer)
  })

  test('a contact’s whose addresses are two customers’: the first that is named has it, the two are suggested to be one', async () => {
    const [phone, email] = [nextPhone(), 'family@example.com']
    const [byPhone, byEmail] = [await customer([{ kind: 'PHONE', value: phone }]), await customer([{ kind: 'EMAIL', value: email }])]
    const identities = [
      { kind: 'PHONE' as const, value: phone },
      { kind: 'EMAIL' as const, value: email },
    ]
    const booked = await on.book({ customer: { contact: { identities } } })
    expect(booked.customer.id).toBe(byPhone)
    expect((await on.book({ customer: { contact: { identities: identities.toReversed() } } })).customer.id).toBe(byEmail)
    for (const id of [byPhone, byEmail]) {
      const { mergeSuggestions, identities: now } = await identitiesOf(id)
      expect([mergeSuggestions.length, now.length]).toEqual([1, 1])
    }
  })

  test('with a member of the staff', async () => {
    const { viewer } = await salon.ask(ViewerDocument)
    const booked = await on.book({ staff: { memberId: present(viewer.member).id } })
    expect([booked.staffMember, booked.staffName]).toEqual([{ id: viewer.member?.id, name: 'Tess Ter' }, null])
  })
})

describe('a booking system', () => {
  test('books by API key, and as often as it likes with its own id', async () => {
    const made = 'mutation { createApiKey(input: { name: "booking", role: AGENT }) { ... on CreateApiKeySuccess { key } } }'
    const { createApiKey } = await salon.ask<{ createApiKey: { key: string } }, object>(made)
    const input = { customer: contact(nextPhone()), externalId: 'b-1', service: 'Haircut', startsAt: START, endsAt: END }
    const book = async (more: object = {}) =>
      present(dataOf(await app.request(CreateAppointmentDocument, { input: { ...input, ...more } }, createApiKey.key)).createAppointment)
    const { appointment } = member(await book(), 'CreateAppointmentSuccess')
    expect(appointment).toMatchObject({ externalId: 'b-1', status: 'BOOKED' })
    expect(await book({ startsAt: '2037-02-10T13:00:00+03:00' })).toEqual({ __typename: 'CreateAppointmentSuccess', appointment })
    expect(await book({ service: 'Shave' })).toEqual({
      __typename: 'IdempotencyConflictError',
      code: 'IDEMPOTENCY_CONFLICT',
      message: 'There is an appointment with this id that was made of another input: reschedule or cancel that one.',
      path: ['input', 'externalId'],
    })
    const [event] = (await on.history(appointment.customer.id)).filter(({ type }) => type === 'APPOINTMENT_CREATED')
    expect(event?.actor).toBeNull()
    const moved = await on.reschedule(appointment.id, '2037-02-11T10:00:00Z')
    expect(member(await book(), 'CreateAppointmentSuccess').appointment).toEqual(moved)
  })

  test('that books twenty times at once makes one appointment, one confirmation and one event', async () => {
    const input = { externalId: 'b-20', customer: contact(nextPhone()) }
    const all = await Promise.all(Array.from({ length: 20 }, () => on.book(input)))
    expect(new Set(all.map(({ id }) => id)).size).toBe(1)
    const { id, customer: whose } = present(all[0])
    expect(brief(await on.runsOf(id)).filter((line) => line.startsWith('BOOKING_CONFIRMATION WHATSAPP'))).toHaveLength(1)
    const created = (await on.history(whose.id)).filter(({ type }) => type === 'APPOINTMENT_CREATED')
    expect(created).toHaveLength(1)
  })

  test('that books with two inputs at once gets one of them, and is told of the conflict', async () => {
    const phone = nextPhone()
    const answers = await Promise.all(['Haircut', 'Shave'].map((service) => on.tryBook({ externalId: 'b-2', phone, service })))
    expect(answers.map(({ __typename }) => __typename).toSorted()).toEqual(['CreateAppointmentSuccess', 'IdempotencyConflictError'])
  })

  test('names an appointment by its own id', async () => {
    const { id } = await on.book({ externalId: 'mine', startsAt: START })
    const target = { externalId: 'mine' }
    expect(
      member(await on.tryReschedule({ appointment: target, startsAt: END }), 'RescheduleAppointmentSuccess').appointment,
    ).toMatchObject({
      id,
      startsAt: END,
      endsAt: '2037-02-10T12:00:00.000Z',
    })
    expect(member(await on.tryCancel(target), 'CancelAppointmentSuccess').appointment).toMatchObject({ id, status: 'CANCELED' })
  })
})

describe('what is refused', () => {
  const noCustomer = globalId('Customer', newId())
  const sms = (value: string) => ({ contact: { identities: [{ kind: 'PHONE' as const, value }] } })
  const many = Array.from({ length: 21 }, (_, index) => ({ kind: 'EMAIL' as const, value: `m${index}@example.com` }))

  test.each([
    ['a blank service', { service: ' ' }, 'INVALID_INPUT', ['input', 'service']],
    ['a long service', { service: 'x'.repeat(201) }, 'INVALID_INPUT', ['input', 'service']],
    ['a long name of staff', { staff: { name: 'x'.repeat(201) } }, 'INVALID_INPUT', ['input', 'staff', 'name']],
    ['nobody of the staff', { staff: { memberId: globalId('Member', newId()) } }, 'NOT_FOUND', ['input', 'staff', 'memberId']],
    ['another id for staff', { staff: { memberId: noCustomer } }, 'NOT_FOUND', ['input', 'staff', 'memberId']],
    ['a blank id', { externalId: '' }, 'INVALID_INPUT', ['input', 'externalId']],
    ['a long id', { externalId: 'x'.repeat(201) }, 'INVALID_INPUT', ['input', 'externalId']],
    ['an end before the start', { startsAt: END, endsAt: START }, 'INVALID_INPUT', ['input', 'endsAt']],
    ['no length', { startsAt: START, endsAt: START }, 'INVALID_INPUT', ['input', 'endsAt']],
    ['32 days', { startsAt: START, endsAt: '2037-03-14T10:00:00Z' }, 'INVALID_INPUT', ['input', 'endsAt']],
    ['the year 1969', { startsAt: '1969-12-31T23:00:00Z', endsAt: START }, 'INVALID_INPUT', ['input', 'startsAt']],
    ['the year 2201', { startsAt: '2200-12-31T23:30:00Z', endsAt: '2201-01-01T00:30:00Z' }, 'INVALID_INPUT', ['input', 'endsAt']],
    ['no time zone', { timezone: 'Mars/Olympus' }, 'INVALID_INPUT', ['input', 'timezone']],
    ['an offset for a time zone', { timezone: '+03:00' }, 'INVALID_INPUT', ['input', 'timezone']],
    ['nobody', { customer: { customerId: noCustomer } }, 'NOT_FOUND', ['input', 'customer', 'customerId']],
    [
      'a contact without an address',
      { customer: { contact: { identities: [] } } },
      'INVALID_INPUT',
      ['input', 'customer', 'contact', 'identities'],
    ],
    ['21 addresses', { customer: { contact: { identities: many } } }, 'INVALID_INPUT', ['input', 'customer', 'contact', 'identities']],
    ['no phone number', { customer: sms('12') }, 'INVALID_INPUT', ['input', 'customer', 'contact', 'identities', '0', 'value']],
    [
      'an id of nobody knows which page',
      { customer: { contact: { identities: [{ kind: 'MESSENGER' as const, value: '1' }] } } },
      'INVALID_INPUT',
      ['input', 'customer', 'contact', 'identities', '0', 'channelAccountId'],
    ],
    [
      'a long name',
      { customer: { contact: { name: 'x'.repeat(201), identities: [{ kind: 'EMAIL' as const, value: 'a@example.com' }] } } },
      'INVALID_INPUT',
      ['input', 'customer', 'contact', 'name'],
    ],
  ] as const)('%s', async (_what, more, code, path) => {
    const count = () => app.deps.db.$queryRaw`SELECT (SELECT count(*) FROM appointment) + (SELECT count(*) FROM customer) AS rows`
    const before = await count()
    expect(await on.tryBook(more as object)).toMatchObject({ code, path })
    expect(await count()).toEqual(before)
  })

  test('another organization’s customer, member and appointment are not there', async () => {
    const other = await openOrganization(app, { slug: 'others' })
    const theirs = await automating(app, other.ask).book({ externalId: 'theirs' })
    const { viewer } = await other.ask(ViewerDocument)
    expect(await on.tryBook({ customer: { customerId: theirs.customer.id } })).toMatchObject({ code: 'NOT_FOUND' })
    expect(await on.tryBook({ staff: { memberId: present(viewer.member).id } })).toMatchObject({ code: 'NOT_FOUND' })
    for (const [target, field] of [
      [{ appointmentId: theirs.id }, 'appointmentId'],
      [{ externalId: 'theirs' }, 'externalId'],
    ] as const) {
      const path = ['input', 'appointment', field]
      expect(await on.tryCancel(target)).toMatchObject({ code: 'NOT_FOUND', path })
      expect(await on.tryComplete(target)).toMatchObject({ code: 'NOT_FOUND', path })
      expect(await on.tryReschedule({ appointment: target, startsAt: START })).toMatchObject({ code: 'NOT_FOUND', path })
    }
    expect((await on.book({ externalId: 'theirs' })).id).not.toBe(theirs.id)
  })
})

describe('a change', () => {
  test('to the same time is none; of the end alone nobody is told; of the time zone the customer is', async () => {
    const before = await on.book({ startsAt: START })
    await clock.settle()
    const eventsOf = async () => (await on.history(before.customer.id)).filter(({ type }) => type.startsWith('APPOINTMENT_')).length
    expect(await on.reschedule(before.id, START)).toEqual(before)
    expect(await eventsOf()).toBe(1)
    const endsAt = '2037-02-10T12:30:00.000Z'
    expect(await on.reschedule(before.id, START, { endsAt })).toEqual({ ...before, endsAt })
    await clock.settle()
    expect([await eventsOf(), brief(await on.runsOf(before.id))]).toEqual([
      2,
      [
        'BOOKING_CONFIRMATION WHATSAPP SKIPPED MESSAGING_WINDOW_CLOSED',
        'BOOKING_CONFIRMATION SMS SENT',
        'APPOINTMENT_REMINDER WHATSAPP SCHEDULED',
      ],
    ])
    expect(await on.reschedule(before.id, START, { timezone: 'Europe/Berlin' })).toEqual({ ...before, endsAt, timezone: 'Europe/Berlin' })
    await clock.settle()
    const runs = await on.runsOf(before.id)
    expect(runs.find(({ kind, status }) => kind === 'RESCHEDULE_NOTICE' && status === 'SENT')?.communication?.body).toBe(
      'Hi Ada, your appointment for Haircut has been moved to Tuesday, February 10, 2037 at 11:00 AM. Salon Mavi',
    )
    expect(brief(runs).filter((line) => line.startsWith('APPOINTMENT_REMINDER'))).toEqual([
      'APPOINTMENT_REMINDER WHATSAPP SKIPPED APPOINTMENT_RESCHEDULED',
      'APPOINTMENT_REMINDER WHATSAPP SCHEDULED',
    ])
  })

  test('twice is once, and out of place says so', async () => {
    const [canceled, completed] = [await on.book(), await on.book()]
    expect(await on.cancel(canceled.id)).toEqual({ ...canceled, status: 'CANCELED' })
    expect(await on.cancel(canceled.id)).toEqual({ ...canceled, status: 'CANCELED' })
    expect(await on.complete(completed.id)).toEqual({ ...completed, status: 'COMPLETED' })
    expect(await on.complete(completed.id)).toEqual({ ...completed, status: 'COMPLETED' })
    await clock.settle()
    const notices = (await on.runsOf(canceled.id)).filter(({ kind, channel }) => kind === 'CANCELLATION_NOTICE' && channel === 'WHATSAPP')
    expect(notices).toHaveLength(1)
    const refused = (status: string, what: string) => ({
      __typename: 'ValidationError',
      code: 'INVALID_INPUT',
      message: `The appointment is ${status}: only one that is BOOKED can be ${what}.`,
      path: ['input', 'appointment'],
    })
    expect(await on.tryComplete({ appointmentId: canceled.id })).toEqual(refused('CANCELED', 'completed'))
    expect(await on.tryCancel({ appointmentId: completed.id })).toEqual(refused('COMPLETED', 'canceled'))
    for (const [{ id }, status] of [
      [canceled, 'CANCELED'],
      [completed, 'COMPLETED'],
    ] as const)
      expect(await on.tryReschedule({ appointment: { appointmentId: id }, startsAt: START })).toEqual(refused(status, 'rescheduled'))
  })

  test('to a time that is none says which', async () => {
    const appointment = { appointmentId: (await on.book({ startsAt: START })).id }
    const refusal = async (more: object) => {
      const { path } = (await on.tryReschedule({ appointment, startsAt: START, ...more })) as { path?: string[] }
      return path
    }
    expect(await refusal({ endsAt: START })).toEqual(['input', 'endsAt'])
    expect(await refusal({ startsAt: '1950-01-01T00:00:00Z' })).toEqual(['input', 'startsAt'])
    expect(await refusal({ timezone: 'Nowhere' })).toEqual(['input', 'timezone'])
  })

  test('is on the customer’s timeline with its appointment, and live in the inbox', async () => {
    const token = await app.token({ organization: 'salon', expiresIn: null })
    const subscriber = overSocket<AutomationEventsSubscription, object>(app, { document: AutomationEventsDocument, token })
    await eventually(async () => expect(await followers(app)).toBe(1))
    const { id, customer: whose } = await on.book({ startsAt: START })
    await clock.settle()
    await on.reschedule(id, END)
    await clock.settle()
    await on.complete(id)
    const about = { id, service: 'Haircut', startsAt: END, status: 'COMPLETED' }
    const run = (kind: string, channel: string, status: string, reason: string | null) => ({ kind, channel, status, reason })
    const timeline = (await on.history(whose.id)).toReversed().filter(({ type }) => /^(APPOINTMENT|AUTOMATION)/.test(type))
    expect(timeline.map(({ type, appointment, automationRun }) => ({ type, appointment, automationRun }))).toMatchObject([
      { type: 'APPOINTMENT_CREATED', appointment: about, automationRun: null },
      { type: 'AUTOMATION_RUN_CHANGED', automationRun: run('BOOKING_CONFIRMATION', 'WHATSAPP', 'SKIPPED', 'MESSAGING_WINDOW_CLOSED') },
      { type: 'AUTOMATION_RUN_CHANGED', automationRun: run('BOOKING_CONFIRMATION', 'SMS', 'SENT', null) },
      { type: 'APPOINTMENT_RESCHEDULED', appointment: about },
      { type: 'AUTOMATION_RUN_CHANGED', automationRun: run('APPOINTMENT_REMINDER', 'WHATSAPP', 'SKIPPED', 'APPOINTMENT_RESCHEDULED') },
      { type: 'AUTOMATION_RUN_CHANGED', automationRun: run('RESCHEDULE_NOTICE', 'WHATSAPP', 'SKIPPED', 'MESSAGING_WINDOW_CLOSED') },
      { type: 'AUTOMATION_RUN_CHANGED', automationRun: run('RESCHEDULE_NOTICE', 'SMS', 'SENT', null) },
      { type: 'APPOINTMENT_COMPLETED', appointment: about },
      { type: 'AUTOMATION_RUN_CHANGED', automationRun: run('APPOINTMENT_REMINDER', 'WHATSAPP', 'SKIPPED', 'APPOINTMENT_COMPLETED') },
    ])
    expect(timeline.map(({ appointment }) => appointment)).toEqual(Array(9).fill(about))
    await eventually(() => {
      const mine = subscriber.data().flatMap(({ inboxEvents: event }) => {
        const isOfThese = event.__typename === 'AppointmentChangedEvent' || event.__typename === 'AutomationRunChangedEvent'
        return isOfThese && event.customer?.id === whose.id ? [event] : []
      })
      expect(mine.map(({ __typename }) => __typename)).toEqual(
        timeline.map(({ type }) => (type.startsWith('APPOINTMENT') ? 'AppointmentChangedEvent' : 'AutomationRunChangedEvent')),
      )
      expect(mine[0]).toMatchObject({ appointment: { id } })
      expect(mine.at(-1)).toMatchObject({ automationRun: { kind: 'APPOINTMENT_REMINDER', reason: 'APPOINTMENT_COMPLETED' } })
    })
    subscriber.stop()
  })
})

describe('the lists', () => {
  test('are by time, filtered and paged, of a customer and of all', async () => {
    const org = await openOrganization(app, { slug: 'lists' })
    const mine = automating(app, org.ask)
    const phone = nextPhone()
    const at = (day: number) => `2037-04-${String(day).padStart(2, '0')}T09:00:00.000Z`
    for (const day of [4, 1, 3, 2, 3]) await mine.book({ phone, startsAt: at(day), externalId: `${day}-${newId()}` })
    const other = await mine.book({ startsAt: at(2), externalId: 'other' })
    const list = async (filter: object = {}) => (await org.ask(AppointmentsDocument, { filter })).appointments.nodes
    const all = await list()
    expect(all.map(({ startsAt }) => startsAt)).toEqual([1, 2, 2, 3, 3, 4].map(at))
    expect(await list({ externalId: 'other' })).toEqual([other])
    expect((await list({ since: at(2), until: at(3) })).map(({ startsAt }) => startsAt)).toEqual([at(2), at(2)])
    await mine.cancel(other.id)
    expect((await list({ statuses: ['CANCELED', 'COMPLETED'] })).map(({ id }) => id)).toEqual([other.id])
    expect(await list({ statuses: [] })).toEqual([])
    const seen: string[] = []
    for (let after: string | null = null; ; ) {
      const { nodes, pageInfo }: AppointmentsQuery['appointments'] = (await org.ask(AppointmentsDocument, { first: 2, after })).appointments
      seen.push(...nodes.map(({ id }) => id))
      if (!pageInfo.hasNextPage) break
      after = pageInfo.endCursor ?? null
    }
    expect(seen).toEqual(all.map(({ id }) => id))
    const id = present(all[0]).customer.id
    const theirs = async (variables: object = {}) =>
      present((await org.ask(CustomerAppointmentsDocument, { id, ...variables })).customer).appointments
    expect((await theirs()).nodes.map(({ startsAt }) => startsAt)).toEqual([1, 2, 3, 3, 4].map(at))
    expect((await theirs({ filter: { since: at(3) } })).nodes).toHaveLength(3)
    const first = await theirs({ first: 3 })
    const rest = await theirs({ first: 3, after: first.pageInfo.endCursor })
    expect([...first.nodes, ...rest.nodes].map(({ id: each }) => each)).toEqual((await theirs()).nodes.map(({ id: each }) => each))
    expect(rest.pageInfo.hasNextPage).toBe(false)
  })

  test('one by its id; another organization’s is not there', async () => {
    const booked = await on.book()
    const query = 'query ($id: ID!) { appointment(id: $id) { id createdAt statusChangedAt } }'
    const ask = (id: string, token: string) => app.request<{ appointment: object | null }, object>(query, { id }, token)
    const now = clock.now().toISOString()
    expect(dataOf(await ask(booked.id, salon.token)).appointment).toEqual({ id: booked.id, createdAt: now, statusChangedAt: now })
    expect(dataOf(await ask(booked.id, await app.token())).appointment).toBeNull()
    expect(localId('Appointment', booked.id)).not.toBeNull()
  })
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { deliverMessage } from '../../src/domain/deliver-message.ts'
import { eventually } from '../support/eventually.ts'
import { present } from '../support/result.ts'
import { hold, someoneWaits } from '../support/row-locks.ts'
import { acceptedFor, inMs, scheduleText, scheduling } from '../support/scheduling.ts'
import { jobsOf, makeDue, runJobs, runNow } from '../support/send-jobs.ts'
import { startTwilioInbox, type TwilioInbox } from '../support/twilio-inbox.ts'

const HOUR = 3_600_000

let inbox: TwilioInbox
let ask: ReturnType<typeof scheduling>

beforeAll(async () => {
  inbox = await startTwilioInbox()
  ask = scheduling(inbox.app)
})
afterAll(() => inbox.close())

const jobs = (id: string) => jobsOf(inbox.app.deps.pool, id)
const sent = (id: string) => eventually(async () => expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'SENT' }))

/** The message is due; whoever asks for its row first is first, then both go on. */
async function inTurn<T>(id: string, first: 'the job' | 'the change', change: () => Promise<T>): Promise<T> {
  const { pool } = inbox.app.deps
  await makeDue(pool, id)
  const held = await hold(pool, id)
  const steps = {
    'the job': () => runJobs(pool, id),
    'the change': () => {
      answer = change()
    },
  }
  let answer: Promise<T> | undefined
  await steps[first]()
  await someoneWaits(pool, 1)
  await steps[first === 'the job' ? 'the change' : 'the job']()
  await someoneWaits(pool, 2)
  expect(await jobs(id)).toMatchObject([{ lockedAt: expect.any(Date) }])
  await held.release()
  return present(await answer)
}

test('moved while its job is running: the job sends nothing, and the message goes out at its new time, once', async () => {
  const id = await scheduleText(inbox, HOUR)
  const sendAt = inMs(HOUR)
  const answer = await inTurn(id, 'the change', () => ask.change(id, { sendAt, content: { text: 'Moved' } }))
  expect(answer.__typename).toBe('UpdateScheduledMessageSuccess')
  await eventually(async () => expect(await jobs(id)).toMatchObject([{ runAt: new Date(sendAt), lockedAt: null }]))
  expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'SCHEDULED', attempts: 0, attemptStartedAt: null })
  expect(acceptedFor(inbox, id)).toEqual([])
  expect(await runNow(inbox.app.deps.pool, id)).toBe(1)
  await sent(id)
  expect(acceptedFor(inbox, id).map(({ params }) => params.Body)).toEqual(['Moved'])
})

test('another content just before its sending begins is what is sent', async () => {
  const id = await scheduleText(inbox, HOUR)
  const answer = await inTurn(id, 'the change', () => ask.change(id, { content: { text: 'Just in time' } }))
  expect(answer.__typename).toBe('UpdateScheduledMessageSuccess')
  await sent(id)
  expect(acceptedFor(inbox, id).map(({ params }) => params.Body)).toEqual(['Just in time'])
})

test.each([{ content: { text: 'Too late' } }, { sendAt: inMs(HOUR) }])(
  'a change just after its sending has begun says so: %j',
  async (change) => {
    const id = await scheduleText(inbox, HOUR)
    expect(await inTurn(id, 'the job', () => ask.change(id, change))).toMatchObject({
      __typename: 'ValidationError',
      message: expect.stringMatching(/this one is (PENDING|SENT)\.$/),
      path: ['input', 'communicationId'],
    })
    await sent(id)
    expect(acceptedFor(inbox, id).map(({ params }) => params.Body)).toEqual(['As it was'])
  },
)

test('canceled just before its sending begins, it never is at the provider', async () => {
  const id = await scheduleText(inbox, HOUR)
  expect((await inTurn(id, 'the change', () => ask.cancel(id))).__typename).toBe('CancelMessageSuccess')
  await eventually(async () => expect(await jobs(id)).toEqual([]))
  expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'CANCELED', attempts: 0 })
  expect(acceptedFor(inbox, id)).toEqual([])
})

test('canceled just after, it is sent, and the error says that', async () => {
  const id = await scheduleText(inbox, HOUR)
  expect(await inTurn(id, 'the job', () => ask.cancel(id))).toMatchObject({ __typename: 'ValidationError' })
  await sent(id)
  expect(acceptedFor(inbox, id)).toHaveLength(1)
})

test('whatever comes at the very moment that it is due: what was answered is what has happened', async () => {
  const rounds = Array.from({ length: 24 }, async (_, round) => {
    const id = await scheduleText(inbox, 2_000 + 20 * round)
    const { sendAt } = await inbox.row(id)
    await new Promise((resolve) => setTimeout(resolve, (sendAt?.getTime() ?? 0) - Date.now() + (round % 8) - 2))
    if (round % 3 === 0) {
      const { __typename } = await ask.cancel(id)
      return { id, expected: __typename === 'CancelMessageSuccess' ? [] : ['As it was'] }
    }
    const moved = round % 3 === 1
    const { __typename } = await ask.change(id, { content: { text: 'Changed' }, ...(moved ? { sendAt: inMs(600) } : {}) })
    return { id, expected: [__typename === 'UpdateScheduledMessageSuccess' ? 'Changed' : 'As it was'] }
  })
  for (const { id, expected } of await Promise.all(rounds)) {
    await eventually(async () => expect(await jobs(id)).toEqual([]))
    expect(acceptedFor(inbox, id).map(({ params }) => params.Body)).toEqual(expected)
    expect(await inbox.row(id)).toMatchObject({ deliveryStatus: expected.length === 0 ? 'CANCELED' : 'SENT' })
  }
})

test('two changes at once are made one after the other: nobody’s is half there', async () => {
  const id = await scheduleText(inbox, HOUR)
  const wanted = Array.from({ length: 6 }, (_, index) => ({ sendAt: inMs((index + 2) * HOUR), content: { text: `Version ${index}` } }))
  const answers = await Promise.all(wanted.map((change) => ask.change(id, change)))
  expect(new Set(answers.map(({ __typename }) => __typename))).toEqual(new Set(['UpdateScheduledMessageSuccess']))
  const row = await inbox.row(id)
  expect(wanted).toContainEqual({ sendAt: row.sendAt?.toISOString(), content: { text: row.body } })
  expect(await jobs(id)).toMatchObject([{ runAt: row.sendAt }])
})

test('one that fails for now is tried again under the same job, later', async () => {
  inbox.fake.next({ status: 503 })
  const id = await scheduleText(inbox, HOUR)
  await runNow(inbox.app.deps.pool, id)
  await eventually(async () =>
    expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'PENDING', attempts: 1, attemptStartedAt: null }),
  )
  await eventually(async () => expect(await jobs(id)).toMatchObject([{ lockedAt: null }]))
  await runNow(inbox.app.deps.pool, id)
  await sent(id)
  expect(acceptedFor(inbox, id)).toHaveLength(1)
})

test('a process whose clock is behind the database’s waits by its own clock, and not by trying over and over', async () => {
  const id = await scheduleText(inbox, HOUR)
  const behind = 20_000
  const deps = { ...inbox.app.deps, clock: () => new Date(Date.now() + HOUR - behind) }
  const before = Date.now()
  expect(await deliverMessage(deps, id)).toEqual({ provider: 'none', outcome: 'nothing to do' })
  const { sendAt } = await inbox.row(id)
  expect(await jobs(id)).toMatchObject([{ runAt: sendAt }])
  await inbox.app.deps.db.communication.update({ where: { id }, data: { sendAt: new Date(before) } })
  const late = { ...inbox.app.deps, clock: () => new Date(before - behind) }
  expect((await deliverMessage(late, id)).outcome).toBe('nothing to do')
  const [job] = await jobs(id)
  expect(job?.runAt.getTime()).toBeGreaterThanOrEqual(before + behind)
  expect(acceptedFor(inbox, id)).toEqual([])
})

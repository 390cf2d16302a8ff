import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { AcceptedMessage, SendBehaviour } from '../support/fake-twilio.ts'
import { hold, someoneWaits } from '../support/row-locks.ts'
import { jobsOf } from '../support/send-jobs.ts'
import { startTwilioInbox, type TwilioInbox } from '../support/twilio-inbox.ts'
import { settingsBeside, startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts'

// Processes start one after the other here, beside other tests.
vi.setConfig({ testTimeout: 90_000 })

let inbox: TwilioInbox
let worker: WorkerProcess | undefined

beforeAll(async () => {
  inbox = await startTwilioInbox({ WORKER: 'off' })
})
afterAll(async () => {
  await worker?.end('SIGKILL')
  await inbox.close()
})

/** A worker of its own process beside the server of this one. */
async function startWorker(): Promise<WorkerProcess> {
  worker = await startWorkerProcess(settingsBeside(inbox))
  return worker
}

const requestsFor = (id: string) => inbox.fake.requests.filter(({ params }) => String(params.StatusCallback).endsWith(id))

const accepted = (id: string): Promise<AcceptedMessage> =>
  eventually(() => {
    const message = inbox.fake.messages.find(({ params }) => String(params.StatusCallback).endsWith(id))
    if (message === undefined) throw new Error(`Twilio has not accepted ${id}`)
    return message
  })

async function sendInto(behaviour: SendBehaviour): Promise<string> {
  inbox.fake.next(behaviour)
  const id = await inbox.sendApart()
  await eventually(() => expect(requestsFor(id)).toHaveLength(1))
  return id
}

/** A new worker takes jobs over only when their locks are older than STALE_JOB_SECONDS. */
const locksAreStale = () =>
  eventually(async () => {
    const { rows } = await inbox.app.deps.pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM graphile_worker.jobs WHERE locked_at > now() - interval '1 second'`,
    )
    expect(rows[0]?.n).toBe(0)
  })

test('a worker that is killed at any step of a send loses no message and sends none twice', async () => {
  const unmarked = await inbox.sendApart('Killed before the attempt was marked')
  const held = [await hold(inbox.app.deps.pool, unmarked)]
  const first = await startWorker()
  await someoneWaits(inbox.app.deps.pool, 1)

  const gate = {
    unaccepted: Promise.withResolvers<void>(),
    unanswered: Promise.withResolvers<void>(),
    answered: Promise.withResolvers<void>(),
  }
  const unaccepted = await sendInto({ beforeAccepting: gate.unaccepted.promise })
  const unanswered = await sendInto({ beforeAnswering: gate.unanswered.promise })
  const unrecorded = await sendInto({ beforeAnswering: gate.answered.promise })
  held.push(await hold(inbox.app.deps.pool, unrecorded))
  gate.answered.resolve()
  await someoneWaits(inbox.app.deps.pool, 2)
  expect((await inbox.row(unmarked)).attemptStartedAt).toBeNull()
  for (const id of [unaccepted, unanswered, unrecorded])
    expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'PENDING', attemptStartedAt: expect.any(Date), externalMessageId: null })

  expect(await first.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' })
  for (const { release } of held) await release()
  await locksAreStale()
  expect(await inbox.row(unmarked)).toMatchObject({ deliveryStatus: 'PENDING', attempts: 0 })
  await startWorker()

  await eventually(async () => {
    expect(await inbox.row(unmarked)).toMatchObject({ deliveryStatus: 'SENT', attempts: 1 })
    for (const id of [unaccepted, unanswered, unrecorded])
      expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'UNKNOWN', attempts: 1, externalMessageId: null })
  })
  const all = [unmarked, unaccepted, unanswered, unrecorded]
  for (const id of all) await eventually(async () => expect(await jobsOf(inbox.app.deps.pool, id)).toEqual([]))
  expect(all.map((id) => requestsFor(id).length)).toEqual([1, 1, 1, 1])

  gate.unaccepted.resolve()
  gate.unanswered.resolve()
  for (const id of [unaccepted, unanswered, unrecorded]) {
    const { sid } = await accepted(id)
    expect(await inbox.fake.callback(sid, 'delivered')).toEqual([200])
    expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'DELIVERED', externalMessageId: sid, attempts: 1 })
  }
  expect(all.map((id) => requestsFor(id).length)).toEqual([1, 1, 1, 1])
})

test('a worker that is told to end while a send is in hand gives it back in time; it is UNKNOWN then, not sent again', async () => {
  const never = Promise.withResolvers<void>()
  const id = await sendInto({ beforeAnswering: never.promise })
  expect(await worker?.end('SIGTERM'), worker?.output()).toEqual({ code: 0, signal: null })
  expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'PENDING', attemptStartedAt: expect.any(Date) })
  const [job, ...more] = await jobsOf(inbox.app.deps.pool, id)
  expect({ job, more }).toMatchObject({ job: { task: 'deliver', lockedAt: null }, more: [] })
  await inbox.app.deps.pool.query('SELECT graphile_worker.reschedule_jobs($1::bigint[], run_at := now())', [[job?.id]])
  await startWorker()
  await eventually(async () => expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'UNKNOWN', attempts: 1 }))
  expect(requestsFor(id)).toHaveLength(1)
  never.resolve()
  await inbox.fake.callback((await accepted(id)).sid, 'sent')
  expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'SENT' })
})

test('a worker that is told to end lets a send end that does', async () => {
  const gate = Promise.withResolvers<void>()
  const id = await sendInto({ beforeAnswering: gate.promise })
  worker?.signal('SIGTERM')
  await eventually(() => expect(worker?.output()).toContain('Stopping'))
  gate.resolve()
  expect(await worker?.end('SIGTERM'), worker?.output()).toEqual({ code: 0, signal: null })
  expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'SENT', externalMessageId: (await accepted(id)).sid })
  expect(await jobsOf(inbox.app.deps.pool, id)).toEqual([])
})

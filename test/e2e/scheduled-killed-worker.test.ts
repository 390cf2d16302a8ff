import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { hold, someoneWaits } from '../support/row-locks.ts'
import { acceptedFor, inMs, scheduleText, scheduling } from '../support/scheduling.ts'
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

async function startWorker(): Promise<WorkerProcess> {
  worker = await startWorkerProcess(settingsBeside(inbox))
  return worker
}

const locked = (id: string) =>
  eventually(async () => expect((await jobsOf(inbox.app.deps.pool, id)).some(({ lockedAt }) => lockedAt !== null)).toBe(true))

test('a worker that is killed with a message in hand that is being moved loses neither the message nor the change', async () => {
  const { pool } = inbox.app.deps
  const { change } = scheduling(inbox.app)
  const [moved, rewritten] = [await scheduleText(inbox, 1_500), await scheduleText(inbox, 1_500)]
  const held = [await hold(pool, moved), await hold(pool, rewritten)]
  const sendAt = inMs(12_000)
  const answers = [change(moved, { sendAt, content: { text: 'Moved' } }), change(rewritten, { content: { text: 'Rewritten' } })]
  await someoneWaits(pool, 2)
  const first = await startWorker()
  for (const id of [moved, rewritten]) await locked(id)
  await someoneWaits(pool, 4)
  expect(await first.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' })
  for (const { release } of held) await release()
  for (const answer of answers) expect((await answer).__typename).toBe('UpdateScheduledMessageSuccess')
  for (const id of [moved, rewritten]) expect(acceptedFor(inbox, id)).toEqual([])

  await new Promise((resolve) => setTimeout(resolve, 1_100))
  await startWorker()
  await eventually(async () => expect(await inbox.row(rewritten)).toMatchObject({ deliveryStatus: 'SENT', body: 'Rewritten' }))
  await eventually(async () => expect(await inbox.row(moved)).toMatchObject({ deliveryStatus: 'SENT', body: 'Moved' }))
  expect((await inbox.row(moved)).attemptStartedAt?.getTime()).toBeGreaterThanOrEqual(Date.parse(sendAt))
  expect([moved, rewritten].map((id) => acceptedFor(inbox, id).map(({ params }) => params.Body))).toEqual([['Moved'], ['Rewritten']])
})

test('a worker that is killed in the middle of the send of a scheduled message leaves it UNKNOWN, and no change is taken any more', async () => {
  const never = Promise.withResolvers<void>()
  inbox.fake.next({ beforeAnswering: never.promise })
  const id = await scheduleText(inbox, 1_500)
  await eventually(() => expect(acceptedFor(inbox, id)).toHaveLength(1))
  await worker?.end('SIGKILL')
  const { change, cancel } = scheduling(inbox.app)
  const begun = { __typename: 'ValidationError', message: expect.stringContaining('this one is PENDING') }
  expect(await change(id, { sendAt: inMs(60_000) })).toMatchObject(begun)
  expect(await change(id, { content: { text: 'Too late' } })).toMatchObject(begun)
  expect(await cancel(id)).toMatchObject({ __typename: 'ValidationError' })
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  await startWorker()
  await eventually(async () => expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'UNKNOWN', attempts: 1, body: 'As it was' }))
  expect(acceptedFor(inbox, id)).toHaveLength(1)
  never.resolve()
})

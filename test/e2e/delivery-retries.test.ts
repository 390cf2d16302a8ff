import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { jobsOf, runNow, type WaitingJob } from '../support/send-jobs.ts'
import { startTwilioInbox, type TwilioInbox } from '../support/twilio-inbox.ts'

const SEND_ATTEMPTS = 4
const SLACK_MS = 20_000

let inbox: TwilioInbox

beforeAll(async () => {
  inbox = await startTwilioInbox({ SEND_ATTEMPTS: String(SEND_ATTEMPTS) })
})
afterAll(() => inbox.close())

/** The one job that will try again, when `attempts` attempts are over; and how far ahead it was set, at most, in milliseconds. */
async function retryOf(id: string, attempts: number): Promise<{ job: WaitingJob; aheadMs: number }> {
  const found = await eventually(async () => {
    const row = await inbox.row(id)
    expect(row).toMatchObject({ deliveryStatus: 'PENDING', attempts, attemptStartedAt: null, failureCode: null })
    const [job, ...more] = await jobsOf(inbox.app.deps.pool, id)
    expect({ job, more }).toMatchObject({ job: { task: 'deliver', lockedAt: null }, more: [] })
    return job as WaitingJob
  })
  const { rows } = await inbox.app.deps.pool.query<{ ahead: number }>(
    `SELECT extract(epoch FROM run_at - created_at)::float8 * 1000 AS ahead FROM graphile_worker.jobs WHERE id = $1`,
    [found.id],
  )
  return { job: found, aheadMs: rows[0]?.ahead ?? Number.NaN }
}

const eventuallyIs = (id: string, expected: object) => eventually(async () => expect(await inbox.row(id)).toMatchObject(expected))

const acceptedFor = (id: string) => inbox.fake.messages.filter(({ params }) => String(params.StatusCallback).endsWith(id))

describe('a provider that is not available', () => {
  test.each([429, 503])('with %i: the message stays PENDING, and is sent once when it is back', async (status) => {
    inbox.fake.next({ status, code: 20429 })
    const id = await inbox.sendText()
    await retryOf(id, 1)
    expect(acceptedFor(id)).toHaveLength(0)
    expect(await runNow(inbox.app.deps.pool, id)).toBe(1)
    await eventuallyIs(id, { deliveryStatus: 'SENT', attempts: 2 })
    expect(acceptedFor(id)).toHaveLength(1)
    await eventually(async () => expect(await jobsOf(inbox.app.deps.pool, id)).toEqual([]))
    const events = await inbox.app.deps.db.event.findMany({ where: { communicationId: id, type: 'DELIVERY_STATUS_CHANGED' } })
    expect(events).toHaveLength(1)
  })

  test('is asked again later each time, and given up after SEND_ATTEMPTS', async () => {
    inbox.fake.next(...Array.from({ length: SEND_ATTEMPTS }, () => ({ status: 503 })))
    const id = await inbox.sendText()
    const waits: number[] = []
    for (let attempt = 1; attempt < SEND_ATTEMPTS; attempt++) {
      waits.push((await retryOf(id, attempt)).aheadMs)
      await runNow(inbox.app.deps.pool, id)
    }
    await eventuallyIs(id, {
      deliveryStatus: 'FAILED',
      attempts: SEND_ATTEMPTS,
      failureCode: 'PROVIDER_UNAVAILABLE',
      failureMessage: expect.stringContaining(`${SEND_ATTEMPTS} attempts`),
      sentAt: null,
    })
    await eventually(async () => expect(await jobsOf(inbox.app.deps.pool, id)).toEqual([]))
    // Twice as long each time, give or take a quarter; what comes on top is this machine's own slowness.
    for (const [index, wait] of waits.entries()) {
      const middle = 2 ** (index + 1) * 1000
      expect(wait).toBeGreaterThanOrEqual(middle * 0.75 - 10)
      expect(wait).toBeLessThanOrEqual(middle * 1.25 + SLACK_MS)
    }
  })

  test.each([
    ['seconds', '90', 90_000],
    ['an HTTP date', () => new Date(Date.now() + 120_000).toUTCString(), 120_000],
  ])('that says when, in %s, is not asked before', async (_what, retryAfter, ms) => {
    inbox.fake.next({ status: 429, retryAfter: typeof retryAfter === 'string' ? retryAfter : retryAfter() })
    const id = await inbox.sendText()
    const { job } = await retryOf(id, 1)
    const row = await inbox.row(id)
    expect(job.runAt.getTime() - row.createdAt.getTime()).toBeGreaterThan(ms - SLACK_MS)
    expect(job.runAt.getTime() - Date.now()).toBeLessThanOrEqual(ms + SLACK_MS)
  })

  test('that asks to come back in a year is asked within the hour', async () => {
    inbox.fake.next({ status: 503, retryAfter: 31_536_000 })
    const { job } = await retryOf(await inbox.sendText(), 1)
    expect(job.runAt.getTime() - Date.now()).toBeLessThanOrEqual(3_600_000 + SLACK_MS)
  })

  test('a customer who opts out while the message waits does not get it', async () => {
    inbox.fake.next({ status: 503 })
    const id = await inbox.sendText()
    await retryOf(id, 1)
    await inbox.inbound(inbox.sms, (await inbox.row(id)).address ?? '', 'STOP')
    await runNow(inbox.app.deps.pool, id)
    await eventuallyIs(id, { deliveryStatus: 'FAILED', failureCode: 'RECIPIENT_OPTED_OUT', attempts: 1 })
    expect(acceptedFor(id)).toHaveLength(0)
  })
})

// The last one: this Twilio does not come back.
test('a provider that refuses the connection leaves the message PENDING, to be tried again', async () => {
  await inbox.fake.close()
  const id = await inbox.sendText()
  await retryOf(id, 1)
  await runNow(inbox.app.deps.pool, id)
  await retryOf(id, 2)
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { localId } from '../../schema/global-id.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { automating, brief } from '../support/automations.ts'
import { eventually } from '../support/eventually.ts'
import { present } from '../support/result.ts'
import { startTwilioOrganization, type TwilioOrganization } from '../support/twilio-organization.ts'

let twilio: TwilioOrganization
let second: TestApp
let on: ReturnType<typeof automating>

beforeAll(async () => {
  twilio = await startTwilioOrganization('salon')
  const { DATA_DIR } = twilio.app.deps.config
  second = await startTestApp({ TWILIO_API_URL: twilio.fake.url, DATABASE_URL: twilio.app.databaseUrl, DATA_DIR })
  on = automating(twilio.app, twilio.org.ask)
  await on.set({
    automations: [
      { kind: 'BOOKING_CONFIRMATION', channels: ['SMS'] },
      { kind: 'RESCHEDULE_NOTICE', channels: ['SMS'] },
      { kind: 'CANCELLATION_NOTICE', channels: ['SMS'] },
    ],
  })
})
afterAll(async () => {
  await second?.close()
  await twilio?.close()
})

/** Resolves when no automation and no delivery waits or runs; none of them may have failed on the way. */
const settled = () =>
  eventually(async () => {
    const { rows } = await twilio.app.deps.pool.query<{ due: number; failed: string[] }>(
      `SELECT count(*) FILTER (WHERE run_at <= now())::int AS due, array_agg(last_error) FILTER (WHERE last_error IS NOT NULL) AS failed
       FROM graphile_worker.jobs WHERE task_identifier IN ('run-automation', 'deliver', 'follow-up-failure')`,
    )
    expect(rows).toEqual([{ due: 0, failed: null }])
  })

test('two workers, and appointments that are moved and canceled under their hands: each message once, none after its reason is gone', async () => {
  const appointments = await Promise.all(
    Array.from({ length: 36 }, async (_, index) => {
      const { id } = await on.book()
      if (index % 3 === 0) await on.cancel(id)
      if (index % 3 === 1) await on.reschedule(id, '2090-05-02T10:00:00Z')
      return id
    }),
  )
  await settled()
  for (const [index, id] of appointments.entries()) {
    const runs = await on.runsOf(id)
    const [confirmation, notice] = runs
    const sent = runs.filter(({ communication }) => communication !== null && twilio.acceptedOf(communication.id).length > 0)
    for (const { communication } of sent) expect(twilio.acceptedOf(present(communication).id)).toHaveLength(1)
    expect(brief(sent)).toEqual(brief(runs.filter(({ status }) => status === 'SENT')))
    if (index % 3 === 2) expect(brief(runs)[0]).toBe('BOOKING_CONFIRMATION SMS SENT')
    else expect(notice).toMatchObject({ status: 'SENT' })
    if (index % 3 === 2 || confirmation?.status !== 'SENT') continue
    const where = { id: present(localId('Communication', present(confirmation.communication).id)) }
    const { attemptStartedAt } = await twilio.app.deps.db.communication.findUniqueOrThrow({ where })
    expect(present(attemptStartedAt).getTime()).toBeLessThanOrEqual(Date.parse(present(notice).dueAt))
  }
})

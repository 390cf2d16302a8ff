import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPace } from '../../src/jobs/pace.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { present } from '../support/result.ts'
import { connect, newPhone, startTwilioInbox, type TwilioInbox } from '../support/twilio-inbox.ts'

const LIMIT = 5

let inbox: TwilioInbox
let second: TestApp

beforeAll(async () => {
  inbox = await startTwilioInbox()
  const { DATA_DIR } = inbox.app.deps.config
  second = await startTestApp({ TWILIO_API_URL: inbox.fake.url, DATABASE_URL: inbox.app.databaseUrl, DATA_DIR })
  await inbox.app.deps.db.channelAccount.update({ where: { id: inbox.sms.rowId }, data: { messagesPerSecond: LIMIT } })
})
afterAll(async () => {
  await second?.close()
  await inbox?.close()
})

const sentFrom = (address: string) => inbox.fake.requests.filter(({ params }) => params.From === address)

const sending = (body: string, address: string, channelAccountId = inbox.sms.id) =>
  inbox.send({ to: { address }, channelAccountId, content: { text: body } })

test('two workers together keep an account to its limit, and the order of each conversation', async () => {
  const friend = newPhone()
  const texts = Array.from({ length: 6 }, (_, index) => `Message ${index}`)
  const start = performance.now()
  for (const text of texts) {
    await sending(text, friend)
    await sending('Beside', newPhone())
  }
  await eventually(() => expect(sentFrom(inbox.sms.address)).toHaveLength(2 * texts.length))
  const limited = sentFrom(inbox.sms.address)
  expect(limited.filter(({ params }) => params.To === friend).map(({ params }) => params.Body)).toEqual(texts)
  // One at once and one in advance; each other one has had its time.
  expect(present(limited.at(-1)).at - start).toBeGreaterThanOrEqual(((limited.length - 2) / LIMIT) * 1000)
  const { rows } = await inbox.app.deps.pool.query('SELECT FROM graphile_worker.jobs WHERE last_error IS NOT NULL')
  expect(rows).toEqual([])
})

test('an account at its limit delays no other, and goes on when it may', async () => {
  const { db } = inbox.app.deps
  const other = await connect(inbox.app, {
    channel: 'SMS',
    name: 'Other',
    address: '+15017122663',
    credentials: { twilio: inbox.fake.credentials },
  })
  const before = sentFrom(inbox.sms.address).length
  const where = { channelAccountId: inbox.sms.rowId }
  await db.channelPace.update({ where, data: { busyUntil: new Date(Date.now() + 3_600_000) } })
  const waiting: string[] = []
  // More than the workers could hold.
  for (let n = 0; n < 60; n++) waiting.push(await sending('Waiting', newPhone()))
  await sending('At once', newPhone(), other.id)
  await eventually(() => expect(sentFrom(other.address)).toHaveLength(1))
  expect(sentFrom(inbox.sms.address)).toHaveLength(before)
  await db.channelAccount.update({ where: { id: inbox.sms.rowId }, data: { messagesPerSecond: 1000 } })
  await db.channelPace.update({ where, data: { busyUntil: new Date() } })
  await eventually(async () => {
    const rows = await db.communication.findMany({ where: { id: { in: waiting } }, select: { deliveryStatus: true, attempts: true } })
    expect(rows.filter(({ deliveryStatus, attempts }) => deliveryStatus === 'SENT' && attempts === 1)).toHaveLength(60)
  })
})

test('however many ask at once, no more are let through than the time allows, and what is not is told later', async () => {
  const { id } = await inbox.app.deps.db.channelAccount.update({ where: { id: inbox.whatsapp.rowId }, data: { messagesPerSecond: 40 } })
  let woken = 0
  const paces = [inbox.app, second].map(({ deps }) => createPace(deps, (jobs) => (woken += jobs)))
  const start = performance.now()
  const granted: boolean[] = []
  for (let round = 0; round < 10; round++) {
    granted.push(...(await Promise.all(Array.from({ length: 40 }, (_, index) => present(paces[index % 2]).take(id)))))
  }
  const seconds = (performance.now() - start) / 1000
  const through = granted.filter((letThrough) => letThrough).length
  // A burst of a tenth of a second, and one.
  expect(through).toBeGreaterThanOrEqual(5)
  expect(through).toBeLessThanOrEqual(Math.ceil(40 * seconds) + 5)
  expect(paces.map((pace) => pace.forbidden())).toEqual([[`account:${id}`], [`account:${id}`]])
  await eventually(() => expect(woken).toBeGreaterThan(0))
  await eventually(() => expect(paces.flatMap((pace) => pace.forbidden())).toEqual([]))
  for (const pace of paces) pace.stop()
})

test('an account without a limit is never asked for', async () => {
  const pace = createPace(inbox.app.deps, () => undefined)
  const email = await inbox.app.deps.db.channelAccount.create({
    data: {
      id: crypto.randomUUID(),
      organizationId: (await inbox.app.deps.db.organization.findFirstOrThrow()).id,
      channel: 'EMAIL',
      provider: 'SENDGRID',
      name: 'Mail',
      address: 'hello@parley.example',
      status: 'PENDING',
    },
  })
  const granted = await Promise.all(Array.from({ length: 200 }, () => pace.take(email.id)))
  expect(granted).not.toContain(false)
  expect(await inbox.app.deps.db.channelPace.findUnique({ where: { channelAccountId: email.id } })).toBeNull()
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeliveryStatus } from '../../src/db/generated/enums.ts'
import { eventually } from '../support/eventually.ts'
import { type AcceptedMessage, newSid, type SendBehaviour } from '../support/fake-twilio.ts'
import { rowCounts, settledRowCounts } from '../support/row-counts.ts'
import { startTwilioInbox, type TwilioInbox } from '../support/twilio-inbox.ts'

let inbox: TwilioInbox

beforeAll(async () => {
  inbox = await startTwilioInbox()
})
afterAll(() => inbox.close())

const accepted = (id: string): Promise<AcceptedMessage> =>
  eventually(() => {
    const message = inbox.fake.messages.find(({ params }) => String(params.StatusCallback).endsWith(id))
    if (message === undefined) throw new Error(`Twilio has not accepted ${id}`)
    return message
  })

const reaches = (id: string, deliveryStatus: DeliveryStatus) =>
  eventually(async () => expect(await inbox.row(id)).toMatchObject({ deliveryStatus }))

async function sent(behaviour: SendBehaviour = {}): Promise<{ id: string; sid: string }> {
  inbox.fake.next(behaviour)
  const id = await inbox.sendText()
  const { sid } = await accepted(id)
  await reaches(id, 'SENT')
  return { id, sid }
}

/** A status callback without our id, as Twilio posts it to the URL of a number or service. */
const callbackWithoutId = async (sid: string, status: string) => {
  const url = inbox.sms.webhookUrl.replace(/sms$/, 'status')
  const params = { MessageSid: sid, MessageStatus: status, From: inbox.sms.address, To: '+14155550999' }
  return (await inbox.fake.post(url, params)).status
}

const stepsOf = async (communicationId: string) => {
  const where = { communicationId, type: 'DELIVERY_STATUS_CHANGED' } as const
  const events = await inbox.app.deps.db.event.findMany({ where, orderBy: { seq: 'asc' } })
  return events.map(({ data }) => (data as { deliveryStatus: DeliveryStatus }).deliveryStatus)
}

function permutations<T>(values: T[]): T[][] {
  if (values.length <= 1) return [values]
  return values.flatMap((value, index) => permutations(values.toSpliced(index, 1)).map((rest) => [value, ...rest]))
}

const WORDS = ['sent', 'delivered', 'read', 'failed'] as const
const RANK: DeliveryStatus[] = ['PENDING', 'UNKNOWN', 'SENT', 'FAILED', 'DELIVERED', 'READ']

describe('status callbacks', () => {
  test('advance the message and keep their times; every one is kept raw and as a receipt', async () => {
    const { id, sid } = await sent()
    for (const word of ['queued', 'sent', 'delivered', 'read']) expect(await inbox.fake.callback(sid, word)).toEqual([200])
    const row = await inbox.row(id)
    expect(row).toMatchObject({ deliveryStatus: 'READ', externalMessageId: sid, failureCode: null })
    const times = [row.sentAt, row.deliveredAt, row.readAt].map((time) => time?.getTime() ?? Number.NaN)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(await stepsOf(id)).toEqual(['SENT', 'DELIVERED', 'READ'])
    const receipts = await inbox.app.deps.db.receipt.findMany({ where: { communicationId: id }, orderBy: { id: 'asc' } })
    expect(receipts.map(({ status }) => status)).toEqual(['PENDING', 'SENT', 'DELIVERED', 'READ'])
    const raw = await inbox.app.deps.db.webhookReceipt.findMany({ where: { url: { contains: id } } })
    expect(raw.map(({ status }) => status)).toEqual(Array(4).fill('APPLIED'))
  })

  test('that are all posted twice change nothing the second time', async () => {
    const { id, sid } = await sent({ answerTwice: true })
    for (const word of ['sent', 'delivered', 'delivered', 'read']) expect(await inbox.fake.callback(sid, word)).toEqual([200, 200])
    expect(await stepsOf(id)).toEqual(['SENT', 'DELIVERED', 'READ'])
    const before = await inbox.row(id)
    const { jobs, event } = await settledRowCounts(inbox.app.deps.pool)
    expect(await inbox.fake.callback(sid, 'read')).toEqual([200, 200])
    expect(await inbox.row(id)).toEqual(before)
    expect(await rowCounts(inbox.app.deps.pool)).toMatchObject({ jobs, event })
  })

  test('lead to the same furthest state in every order, each repeated', async () => {
    const orders = permutations([...WORDS])
    const messages = await Promise.all(orders.map(async (words) => ({ words, ...(await sent()) })))
    for (const { words, id, sid } of messages) {
      for (const word of [...words, ...words]) await inbox.fake.callback(sid, word, word === 'failed' ? { ErrorCode: '30008' } : {})
      expect(await inbox.row(id), words.join()).toMatchObject({ deliveryStatus: 'READ', failureCode: null, failureMessage: null })
      const steps = await stepsOf(id)
      expect(
        steps.map((step) => RANK.indexOf(step)),
        words.join(),
      ).toEqual(steps.map((step) => RANK.indexOf(step)).sort((a, b) => a - b))
      expect(new Set(steps).size, words.join()).toBe(steps.length)
    }
  })

  test('that stop anywhere leave the furthest state so far', async () => {
    for (const words of permutations(['sent', 'delivered', 'failed'])) {
      const { id, sid } = await sent()
      let furthest = RANK.indexOf('SENT')
      for (const word of words) {
        await inbox.fake.callback(sid, word, word === 'failed' ? { ErrorCode: '30008' } : {})
        furthest = Math.max(furthest, RANK.indexOf(word.toUpperCase() as DeliveryStatus))
        const row = await inbox.row(id)
        expect(row.deliveryStatus, words.join()).toBe(RANK[furthest])
        expect(row.failureCode, words.join()).toBe(row.deliveryStatus === 'FAILED' ? '30008' : null)
      }
    }
  })

  test('that come all at once are applied like any other order', async () => {
    const { id, sid } = await sent()
    const answers = await Promise.all([...WORDS, ...WORDS].map((word) => inbox.fake.callback(sid, word)))
    expect(answers.flat()).toEqual(Array(8).fill(200))
    expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'READ' })
    const steps = (await stepsOf(id)).map((step) => RANK.indexOf(step))
    expect(steps).toEqual([...steps].sort((a, b) => a - b))
  })
})

describe('status callbacks that overtake the answer to the send', () => {
  test.each(permutations(['sent', 'delivered', 'failed']))('%s, %s, %s: lead to the same furthest state', async (...words) => {
    inbox.fake.next({ callbacksFirst: words })
    const id = await inbox.sendText()
    const { sid } = await accepted(id)
    await eventually(async () => {
      const row = await inbox.row(id)
      expect(row).toMatchObject({ deliveryStatus: 'DELIVERED', externalMessageId: sid, failureCode: null })
      expect(row.sentAt).toBeInstanceOf(Date)
    })
    const steps = (await stepsOf(id)).map((step) => RANK.indexOf(step))
    expect(steps).toEqual([...steps].sort((a, b) => a - b))
  })

  test('a failure that comes first is not undone by the answer', async () => {
    inbox.fake.next({ callbacksFirst: ['failed'] }, {})
    const id = await inbox.sendText()
    const { sid } = await accepted(id)
    await reaches(id, 'FAILED')
    // The next send of the same conversation starts when this one has ended.
    const to = { address: (await inbox.row(id)).address ?? '' }
    await reaches(await inbox.send({ to, channelAccountId: inbox.sms.id, content: { text: 'Next' } }), 'SENT')
    expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'FAILED', externalMessageId: sid, attempts: 1 })
    expect(await stepsOf(id)).toEqual(['FAILED'])
  })
})

describe('receipts for a message that we do not know', () => {
  test('are kept, answered 2xx, and change nothing else', async () => {
    const before = await settledRowCounts(inbox.app.deps.pool)
    const sid = newSid('SM')
    expect(await callbackWithoutId(sid, 'delivered')).toBe(200)
    const after = await rowCounts(inbox.app.deps.pool)
    expect(after).toEqual({ ...before, receipt: (before.receipt ?? 0) + 1, webhook_receipt: (before.webhook_receipt ?? 0) + 1 })
    const [kept] = await inbox.app.deps.db.receipt.findMany({ where: { externalMessageId: sid } })
    expect(kept).toMatchObject({ status: 'DELIVERED', communicationId: null, channelAccountId: inbox.sms.rowId })
  })

  test('are applied when the send’s answer names it', async () => {
    const gate = Promise.withResolvers<void>()
    inbox.fake.next({ beforeAnswering: gate.promise })
    const id = await inbox.sendText()
    const { sid } = await accepted(id)
    for (const word of ['delivered', 'sent']) expect(await callbackWithoutId(sid, word)).toBe(200)
    expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'PENDING', externalMessageId: null })
    gate.resolve()
    await reaches(id, 'DELIVERED')
    const receipts = await inbox.app.deps.db.receipt.findMany({ where: { externalMessageId: sid } })
    expect(receipts.map(({ communicationId }) => communicationId)).toEqual([id, id])
    expect(await stepsOf(id)).toEqual(['SENT', 'DELIVERED'])
  })

  test('are applied when another receipt, with our id, names it', async () => {
    inbox.fake.next({ drop: 'after' })
    const id = await inbox.sendText()
    const { sid } = await accepted(id)
    await reaches(id, 'UNKNOWN')
    expect(await callbackWithoutId(sid, 'delivered')).toBe(200)
    await inbox.fake.callback(sid, 'sent')
    expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'DELIVERED', externalMessageId: sid })
    expect(await inbox.app.deps.db.receipt.count({ where: { externalMessageId: sid, communicationId: null } })).toBe(0)
  })

  test('are not lost when they are stored at the very moment in which the answer is', async () => {
    const gate = Promise.withResolvers<void>()
    inbox.fake.next({ beforeAnswering: gate.promise })
    const id = await inbox.sendText()
    const { sid } = await accepted(id)
    const { pool } = inbox.app.deps
    const client = await pool.connect()
    try {
      // Receipts cannot be written now, but read: the callback has looked for its message and waits.
      await client.query('BEGIN')
      await client.query('LOCK TABLE receipt IN SHARE MODE')
      const callback = callbackWithoutId(sid, 'delivered')
      await waiting(1)
      gate.resolve()
      // The answer is stored beside it: it waits for the callback, or does not, and is done.
      await eventually(async () => {
        const done = (await inbox.row(id)).deliveryStatus === 'SENT'
        if (!done) await waiting(2, 0)
      })
      await client.query('COMMIT')
      expect(await callback).toBe(200)
    } finally {
      client.release()
    }
    await reaches(id, 'DELIVERED')
  })

  test('never settle a message of another account', async () => {
    const { id } = await sent()
    const url = inbox.whatsapp.webhookUrl.replace(/whatsapp$/, `status?communicationId=${id}`)
    const params = { MessageSid: newSid('SM'), MessageStatus: 'read', From: inbox.whatsapp.address, To: 'whatsapp:+14155550999' }
    expect((await inbox.fake.post(url, params)).status).toBe(200)
    expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'SENT' })
  })
})

/** Until this many sessions of the test's database wait for a lock. */
async function waiting(sessions: number, tries?: number): Promise<void> {
  const check = async () => {
    const { rows } = await inbox.app.deps.pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    expect(rows[0]?.n).toBeGreaterThanOrEqual(sessions)
  }
  await (tries === 0 ? check() : eventually(check))
}

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type AcceptedMessage, type SendBehaviour, startFakeTwilio } from '../support/fake-twilio.ts'
import { jobsOf } from '../support/send-jobs.ts'
import { startTwilioInbox, type TwilioInbox } from '../support/twilio-inbox.ts'

let inbox: TwilioInbox

beforeAll(async () => {
  inbox = await startTwilioInbox()
})
afterAll(() => inbox.close())

const requestsFor = (of: TwilioInbox, id: string) =>
  of.fake.requests.filter(({ params, path }) => path.endsWith('/Messages.json') && String(params.StatusCallback).endsWith(id))

function acceptedFor(of: TwilioInbox, id: string): AcceptedMessage {
  const [message, ...more] = of.fake.messages.filter(({ params }) => String(params.StatusCallback).endsWith(id))
  if (message === undefined || more.length > 0) throw new Error(`${id} was accepted ${more.length === 0 ? 'never' : 'more than once'}`)
  return message
}

async function unknownAfter(of: TwilioInbox, behaviour: SendBehaviour): Promise<string> {
  of.fake.next(behaviour)
  const id = await of.sendText()
  await eventually(async () =>
    expect(await of.row(id)).toMatchObject({ deliveryStatus: 'UNKNOWN', externalMessageId: null, sentAt: null, failureCode: null }),
  )
  return id
}

/** No job is left that could send it, and Twilio was asked once. */
async function expectAskedOnce(of: TwilioInbox, id: string): Promise<void> {
  await eventually(async () => expect(await jobsOf(of.app.deps.pool, id)).toEqual([]))
  expect(requestsFor(of, id)).toHaveLength(1)
}

describe('a send whose answer is lost', () => {
  test.each<[string, SendBehaviour]>([
    ['dropped after the message was accepted', { drop: 'after' }],
    ['something that is not Twilio’s', { unreadable: '<html>Bad gateway</html>' }],
  ])('%s: UNKNOWN, never sent twice, and settled by the status callback through our id', async (_what, behaviour) => {
    const id = await unknownAfter(inbox, behaviour)
    await expectAskedOnce(inbox, id)
    const { sid } = acceptedFor(inbox, id)
    expect(await inbox.fake.callback(sid, 'sent')).toEqual([200])
    expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'SENT', externalMessageId: sid, sentAt: expect.any(Date) })
    expect(await inbox.fake.callback(sid, 'delivered')).toEqual([200])
    expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'DELIVERED', deliveredAt: expect.any(Date) })
    await expectAskedOnce(inbox, id)
  })

  test('and that failed, as the status callback tells, is FAILED with Twilio’s code', async () => {
    const id = await unknownAfter(inbox, { drop: 'after' })
    await inbox.fake.callback(acceptedFor(inbox, id).sid, 'undelivered', { ErrorCode: '30003' })
    expect(await inbox.row(id)).toMatchObject({
      deliveryStatus: 'FAILED',
      failureCode: '30003',
      failureMessage: expect.stringMatching(/could not be reached/),
    })
  })

  test('before Twilio accepted the message: UNKNOWN all the same, because nobody can tell', async () => {
    const id = await unknownAfter(inbox, { drop: 'before' })
    await expectAskedOnce(inbox, id)
    expect(() => acceptedFor(inbox, id)).toThrow('never')
  })

  test.each([500, 502, 504])('by an error of Twilio’s own (%i): UNKNOWN', async (status) => {
    const id = await unknownAfter(inbox, { status })
    await expectAskedOnce(inbox, id)
  })

  test('does not hold up the next message of the conversation', async () => {
    const id = await unknownAfter(inbox, { drop: 'after' })
    const to = { address: (await inbox.row(id)).address ?? '' }
    const next = await inbox.send({ to, channelAccountId: inbox.sms.id, content: { text: 'Next' } })
    await eventually(async () => expect(await inbox.row(next)).toMatchObject({ deliveryStatus: 'SENT' }))
  })
})

describe('a send that takes too long', () => {
  let impatient: TwilioInbox

  beforeAll(async () => {
    impatient = await startTwilioInbox({ PROVIDER_TIMEOUT_SECONDS: '1' })
  })
  afterAll(() => impatient.close())

  test('is UNKNOWN, never sent twice, and settled by the status callback', async () => {
    const never = Promise.withResolvers<void>()
    const id = await unknownAfter(impatient, { beforeAnswering: never.promise })
    await expectAskedOnce(impatient, id)
    await impatient.fake.callback(acceptedFor(impatient, id).sid, 'delivered')
    expect(await impatient.row(id)).toMatchObject({ deliveryStatus: 'DELIVERED', sentAt: expect.any(Date), deliveredAt: expect.any(Date) })
    never.resolve()
  })

  test('stays as its receipts say when the time is over after them', async () => {
    const never = Promise.withResolvers<void>()
    impatient.fake.next({ beforeAnswering: never.promise })
    const id = await impatient.sendText()
    const { sid } = await eventually(() => acceptedFor(impatient, id))
    await impatient.fake.callback(sid, 'sent')
    await expectAskedOnce(impatient, id)
    expect(await impatient.row(id)).toMatchObject({ deliveryStatus: 'SENT', externalMessageId: sid })
    const events = await impatient.app.deps.db.event.findMany({ where: { communicationId: id, type: 'DELIVERY_STATUS_CHANGED' } })
    expect(events).toHaveLength(1)
    never.resolve()
  })
})

test('a callback with our id, but signed by another Twilio account, settles nothing', async () => {
  const id = await unknownAfter(inbox, { drop: 'after' })
  const { sid, params } = acceptedFor(inbox, id)
  const other = await startFakeTwilio()
  try {
    const answer = await other.post(String(params.StatusCallback), {
      MessageSid: sid,
      MessageStatus: 'delivered',
      From: inbox.sms.address,
      To: String(params.To),
    })
    expect(answer.status).toBe(403)
  } finally {
    await other.close()
  }
  expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'UNKNOWN' })
})

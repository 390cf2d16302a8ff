import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { globalId, localId } from '../../schema/global-id.ts'
import type { DeliveryStatus } from '../../src/db/generated/enums.ts'
import { newId } from '../../src/domain/ids.ts'
import { deleteUnsentUploads } from '../../src/domain/upload-attachment.ts'
import {
  AddNoteDocument,
  CreateTemplateDocument,
  MergeCustomersDocument,
  type MessageContentInput,
  UpdateScheduledMessageDocument,
} from '../generated/graphql.ts'
import { eventually } from '../support/eventually.ts'
import { newSid } from '../support/fake-twilio.ts'
import { overSse } from '../support/live.ts'
import { dataOf, member, present } from '../support/result.ts'
import { acceptedFor, inMs, scheduleText, scheduling } from '../support/scheduling.ts'
import { scriptChannel, uploaded } from '../support/scripted-channel.ts'
import { jobsOf, makeDue, runJobs, runNow } from '../support/send-jobs.ts'
import { newPhone, startTwilioInbox, type TwilioInbox } from '../support/twilio-inbox.ts'

const HOUR = 3_600_000

let inbox: TwilioInbox
let ask: ReturnType<typeof scheduling>

beforeAll(async () => {
  inbox = await startTwilioInbox({ PUBLIC_URL: 'https://inbox.example.com' })
  ask = scheduling(inbox.app)
})
afterAll(() => inbox.close())

const changed = async (id: string, change: Parameters<typeof ask.change>[1]) =>
  member(await ask.change(id, change), 'UpdateScheduledMessageSuccess').communication

const sent = (id: string) => eventually(async () => expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'SENT' }))

/** Sends it now; what the provider was given. */
async function delivered(id: string) {
  await runNow(inbox.app.deps.pool, id)
  await sent(id)
  expect(acceptedFor(inbox, id)).toHaveLength(1)
  return present(acceptedFor(inbox, id)[0]).params
}

const changesOf = (communicationId: string) =>
  inbox.app.deps.db.event.findMany({ where: { communicationId, type: 'COMMUNICATION_CHANGED' }, orderBy: { seq: 'asc' } })

async function template(name: string, more: object): Promise<string> {
  const { createTemplate } = dataOf(
    await inbox.app.request(CreateTemplateDocument, { input: { name, body: 'Your permit is ready.', ...more } }),
  )
  return member(createTemplate, 'CreateTemplateSuccess').template.id
}

const png = () => uploaded(inbox.app, { contentType: 'image/png', bytes: Buffer.from('89504e470d0a1a0a', 'hex') })
const media = (...ids: string[]) => ({ media: { attachmentIds: ids.map((id) => globalId('Attachment', id)) } })
const file = (id: string) => inbox.app.deps.db.attachment.findUnique({ where: { id } })

describe('the time', () => {
  test('moved later: it is not sent at the old time, and once at the new one', async () => {
    const id = await scheduleText(inbox, 1_500)
    const sendAt = inMs(HOUR)
    expect(await changed(id, { sendAt })).toMatchObject({ sendAt, deliveryStatus: 'SCHEDULED', body: 'As it was' })
    expect(await jobsOf(inbox.app.deps.pool, id)).toMatchObject([{ runAt: new Date(sendAt) }])
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'SCHEDULED', attempts: 0 })
    expect(acceptedFor(inbox, id)).toEqual([])
    expect((await delivered(id)).Body).toBe('As it was')
  })

  test('moved earlier: it is sent at the new time, not before, and its job is gone', async () => {
    const id = await scheduleText(inbox, HOUR)
    const sendAt = inMs(1200)
    await changed(id, { sendAt })
    await sent(id)
    expect((await inbox.row(id)).attemptStartedAt?.getTime()).toBeGreaterThanOrEqual(Date.parse(sendAt))
    await eventually(async () => expect(await jobsOf(inbox.app.deps.pool, id)).toEqual([]))
    expect(acceptedFor(inbox, id)).toHaveLength(1)
  })

  test('many times: there is one job', async () => {
    const id = await scheduleText(inbox, HOUR)
    for (const hours of [5, 1, 9, 2]) await changed(id, { sendAt: inMs(hours * HOUR) })
    await Promise.all([3, 4, 6, 7].map((hours) => changed(id, { sendAt: inMs(hours * HOUR) })))
    const { sendAt } = await inbox.row(id)
    expect(await jobsOf(inbox.app.deps.pool, id)).toMatchObject([{ runAt: sendAt, lockedAt: null }])
  })

  test('of a message that was scheduled before its job had a key moves too', async () => {
    const id = await scheduleText(inbox, 2_500)
    await inbox.app.deps.pool.query(`UPDATE graphile_worker._private_jobs SET key = NULL WHERE payload ->> 'communicationId' = $1`, [id])
    const sendAt = inMs(HOUR)
    await changed(id, { sendAt })
    expect(await jobsOf(inbox.app.deps.pool, id)).toHaveLength(2)
    await eventually(async () => expect(await jobsOf(inbox.app.deps.pool, id)).toMatchObject([{ runAt: new Date(sendAt), lockedAt: null }]))
    expect(acceptedFor(inbox, id)).toEqual([])
    expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'SCHEDULED' })
  })

  test('is kept to the millisecond', async () => {
    const id = await scheduleText(inbox, HOUR)
    const sendAt = new Date(Date.now() + 2 * HOUR)
    const finer = sendAt.toISOString().replace('Z', '999Z')
    expect(await changed(id, { sendAt: finer })).toMatchObject({ sendAt: sendAt.toISOString() })
    expect((await ask.list({ first: 100 })).nodes.find((node) => localId('Communication', node.id) === id)?.sendAt).toBe(
      sendAt.toISOString(),
    )
  })

  test.each([
    ['the past', () => inMs(-1)],
    ['now', () => inMs(0)],
    ['more than 366 days ahead', () => inMs(366 * 24 * HOUR + 60_000)],
    ['the year 9999', () => '9999-12-31T23:59:59.999Z'],
    ['the year 1', () => '0001-01-01T00:00:00Z'],
  ])('cannot be %s', async (_what, sendAt) => {
    const id = await scheduleText(inbox, HOUR)
    const before = await inbox.row(id)
    expect(await ask.change(id, { sendAt: sendAt(), content: { text: 'Changed' } })).toMatchObject({
      __typename: 'ValidationError',
      code: 'INVALID_INPUT',
      path: ['input', 'sendAt'],
    })
    expect(await inbox.row(id)).toEqual(before)
    expect(await changesOf(id)).toEqual([])
  })

  test('is looked at with the rules as they will be then', async () => {
    const phone = newPhone()
    await inbox.inbound(inbox.whatsapp, `whatsapp:${phone}`)
    const id = await scheduleText(inbox, HOUR, { to: { address: phone }, channelAccountId: inbox.whatsapp.id })
    expect(await ask.change(id, { sendAt: inMs(25 * HOUR) })).toMatchObject({
      __typename: 'MessagingWindowClosedError',
      expiredAt: expect.any(String),
      path: ['input', 'sendAt'],
    })
    const approved = { template: { templateId: await template('Approved', { providerTemplateId: newSid('HX') }) } }
    await changed(id, { sendAt: inMs(25 * HOUR), content: approved })
    expect(await ask.change(id, { content: { text: 'Free again' } })).toMatchObject({
      __typename: 'MessagingWindowClosedError',
      path: ['input', 'content'],
    })
    await changed(id, { sendAt: inMs(2 * HOUR), content: { text: 'Free again' } })
    expect((await delivered(id)).Body).toBe('Free again')
  })

  test('that has passed while the worker was away is no reason to refuse another content', async () => {
    const id = await scheduleText(inbox, HOUR)
    await makeDue(inbox.app.deps.pool, id)
    await changed(id, { content: { text: 'Late' } })
    await runJobs(inbox.app.deps.pool, id)
    await sent(id)
    expect(acceptedFor(inbox, id)[0]?.params.Body).toBe('Late')
  })
})

describe('the content', () => {
  test('is replaced, and sent as it is then', async () => {
    const id = await scheduleText(inbox, HOUR)
    const before = await inbox.row(id)
    expect(await changed(id, { content: { text: 'As it is' } })).toMatchObject({ body: 'As it is', content: { __typename: 'TextContent' } })
    expect(await inbox.row(id)).toEqual({ ...before, body: 'As it is' })
    expect((await delivered(id)).Body).toBe('As it is')
  })

  test('is told to those who follow the inbox', async () => {
    const id = await scheduleText(inbox, HOUR)
    const document = `subscription { inboxEvents(filter: { types: [COMMUNICATION_CHANGED] }) {
      __typename ... on CommunicationChangedEvent { change communication { id body } } } }`
    const following = await overSse<{ inboxEvents: object }, object>(inbox.app, { document, token: await inbox.app.token() })
    await changed(id, { content: { text: 'x' }, sendAt: inMs(2 * HOUR) })
    const told = { change: 'SCHEDULE', communication: { id: globalId('Communication', id), body: 'x' } }
    await eventually(() => expect(following.data().map(({ inboxEvents }) => inboxEvents)).toMatchObject([told]))
    following.stop()
    expect(await changesOf(id)).toMatchObject([{ data: { change: 'schedule' }, actorId: expect.any(String) }])
  })

  test('and the time that are not given stay: nothing is changed, and nothing told', async () => {
    const id = await scheduleText(inbox, HOUR)
    const before = await inbox.row(id)
    await changed(id, {})
    await changed(id, { sendAt: null, content: null })
    expect(await inbox.row(id)).toEqual(before)
    expect(await changesOf(id)).toEqual([])
  })

  test('can become a template and text again; a MARKETING template brings its purpose and takes it along', async () => {
    const id = await scheduleText(inbox, HOUR)
    const marketing = await template('Sale', { purpose: 'MARKETING' })
    const rewritten = await changed(id, { content: { template: { templateId: marketing } } })
    expect(rewritten).toMatchObject({ purpose: 'MARKETING', body: 'Your permit is ready.', content: { __typename: 'TemplateContent' } })
    expect((await inbox.row(id)).templateId).toBe(localId('Template', marketing))
    expect(await changed(id, { content: { text: 'Plain' } })).toMatchObject({ purpose: 'TRANSACTIONAL', body: 'Plain' })
    expect(await inbox.row(id)).toMatchObject({ templateId: null, content: null, payload: null })

    const given = await scheduleText(inbox, HOUR, { purpose: 'MARKETING' })
    expect(await changed(given, { content: { text: 'Still an advertisement' } })).toMatchObject({ purpose: 'MARKETING' })
  })

  test('that a template leaves behind is not sent along', async () => {
    const templateId = await template('At the provider', { providerTemplateId: newSid('HX') })
    const id = await scheduleText(inbox, HOUR, { content: { template: { templateId } } })
    await changed(id, { content: { text: 'No template' } })
    const params = await delivered(id)
    expect(params.Body).toBe('No template')
    expect(params).not.toHaveProperty('ContentSid')
  })

  test('is refused as in sendMessage, and stays', async () => {
    const id = await scheduleText(inbox, HOUR)
    const before = await inbox.row(id)
    const cases: [MessageContentInput, string, string][] = [
      [{ text: '' }, 'ValidationError', 'text'],
      [{ text: ' \u0000 ' }, 'ValidationError', 'text'],
      [{ text: 'x'.repeat(1601) }, 'BodyTooLongError', 'text'],
      [{ media: { attachmentIds: [] } }, 'ValidationError', 'media.attachmentIds'],
      [media(newId()), 'NotFoundError', 'media.attachmentIds.0'],
      [{ email: { subject: 'x', text: 'x' } }, 'ContentNotSupportedError', 'email'],
      [{ template: { templateId: globalId('Template', newId()) } }, 'NotFoundError', 'template.templateId'],
    ]
    for (const [content, error, path] of cases)
      expect(await ask.change(id, { content }), JSON.stringify(content).slice(0, 80)).toMatchObject({
        __typename: error,
        path: ['input', 'content', ...path.split('.')],
      })
    expect(await inbox.row(id)).toEqual(before)
  })

  test.each([
    ['two contents', { text: 'x', template: { templateId: 'x' } }],
    ['no content', {}],
    ['a content of nothing', { text: null }],
  ])('%s is a mistake that GraphQL names', async (_what, content) => {
    const communicationId = globalId('Communication', await scheduleText(inbox, HOUR))
    const { data, errors } = await inbox.app.request(UpdateScheduledMessageDocument, { input: { communicationId, content } as never })
    expect([data, errors?.[0]?.message]).toEqual([undefined, expect.stringContaining('$input')])
  })
})

describe('the files', () => {
  test('that stay, stay; the others are uploads again, and new ones are taken up', async () => {
    const [kept, released, fresh] = [await png(), await png(), await png()]
    const id = await scheduleText(inbox, HOUR, { content: media(released, kept) })
    const day = 24 * HOUR
    await inbox.app.deps.db.attachment.updateMany({
      where: { id: { in: [kept, released] } },
      data: { createdAt: new Date(Date.now() - 9 * day) },
    })
    const { attachments } = await changed(id, { content: media(kept, fresh) })
    expect(attachments.map((one) => localId('Attachment', one.id)).sort()).toEqual([kept, fresh].sort())
    expect([(await file(kept))?.communicationId, (await file(fresh))?.communicationId, (await file(released))?.communicationId]).toEqual([
      id,
      id,
      null,
    ])
    // Released now, it is as if it had been uploaded now.
    const deps = inbox.app.deps
    await deleteUnsentUploads({ ...deps, clock: () => new Date(Date.now() + 23 * HOUR) })
    expect(await file(released)).not.toBeNull()
    const elsewhere = await scheduleText(inbox, HOUR, { content: media(released) })
    expect(await file(released)).toMatchObject({ communicationId: elsewhere })
    await changed(elsewhere, { content: { text: 'Without it' } })
    await deleteUnsentUploads({ ...deps, clock: () => new Date(Date.now() + 25 * HOUR) })
    expect(await file(released)).toBeNull()
    expect([await file(kept), await file(fresh)]).toMatchObject([{ communicationId: id }, { communicationId: id }])

    const urls = [(await delivered(id)).MediaUrl].flat().map(String)
    expect(urls.map((url) => [kept, fresh].findIndex((name) => url.includes(name)))).toEqual([0, 1])
  })

  test('of another message are refused, and those of a refused change stay as they were', async () => {
    const [mine, theirs, free] = [await png(), await png(), await png()]
    const id = await scheduleText(inbox, HOUR, { content: media(mine) })
    const other = await scheduleText(inbox, HOUR, { content: media(theirs) })
    expect(await ask.change(id, { content: media(free, theirs) })).toMatchObject({
      __typename: 'ValidationError',
      path: ['input', 'content', 'media', 'attachmentIds', '1'],
    })
    expect(await ask.change(id, { content: media(mine, mine) })).toMatchObject({ __typename: 'ValidationError' })
    expect([await file(mine), await file(theirs), await file(free)]).toMatchObject([
      { communicationId: id },
      { communicationId: other },
      { communicationId: null },
    ])
  })

  test('that two messages want at once go to one of them', async () => {
    const wanted = await png()
    const ids = [await scheduleText(inbox, HOUR), await scheduleText(inbox, HOUR), await scheduleText(inbox, HOUR)]
    const answers = await Promise.all(ids.map((id) => ask.change(id, { content: media(wanted) })))
    const winners = ids.filter((_, index) => answers[index]?.__typename === 'UpdateScheduledMessageSuccess')
    expect(answers.filter((answer) => answer.__typename === 'ValidationError')).toHaveLength(2)
    expect(winners).toEqual([(await file(wanted))?.communicationId])
  })
})

describe('what cannot be changed', () => {
  const is = (state: string) => ({
    __typename: 'ValidationError',
    message: expect.stringContaining(`this one ${state}`),
    path: ['input', 'communicationId'],
  })

  test('is what is not SCHEDULED any more; the error says what it is', async () => {
    for (const deliveryStatus of ['PENDING', 'SENT', 'DELIVERED', 'FAILED', 'UNKNOWN'] satisfies DeliveryStatus[]) {
      const id = await scheduleText(inbox, HOUR)
      await inbox.app.deps.db.communication.update({ where: { id }, data: { deliveryStatus } })
      expect(await ask.change(id, { content: { text: 'x' } })).toMatchObject(is(`is ${deliveryStatus}`))
    }
    const id = await scheduleText(inbox, HOUR)
    expect(member(await ask.cancel(id), 'CancelMessageSuccess').communication.deliveryStatus).toBe('CANCELED')
    expect(await ask.change(id, { sendAt: inMs(2 * HOUR) })).toMatchObject(is('is CANCELED'))
    await runNow(inbox.app.deps.pool, id)
    await eventually(async () => expect(await jobsOf(inbox.app.deps.pool, id)).toEqual([]))
    expect(acceptedFor(inbox, id)).toEqual([])
  })

  test('is a note, and what a customer wrote', async () => {
    const { messageSid } = await inbox.inbound(inbox.sms, newPhone())
    const received = await inbox.app.deps.db.communication.findFirstOrThrow({ where: { externalMessageId: messageSid } })
    expect(await ask.change(received.id, { content: { text: 'x' } })).toMatchObject(is('was never to be sent'))
    const input = { customerId: globalId('Customer', received.customerId), body: 'A note' }
    const { addNote } = dataOf(await inbox.app.request(AddNoteDocument, { input }))
    const note = present(localId('Communication', member(addNote, 'AddNoteSuccess').communication.id))
    expect(await ask.change(note, {})).toMatchObject(is('was never to be sent'))
  })
})

test('a key gives the message as it is now', async () => {
  const input = {
    to: { address: newPhone() },
    channelAccountId: inbox.sms.id,
    content: { text: 'Once' },
    sendAt: inMs(HOUR),
    idempotencyKey: 'one key',
  }
  const id = await inbox.send(input)
  await changed(id, { content: { text: 'Changed' }, sendAt: inMs(2 * HOUR) })
  expect(await inbox.trySend(input)).toMatchObject({
    __typename: 'SendMessageSuccess',
    communication: { body: 'Changed', deliveryStatus: 'SCHEDULED' },
  })
  expect((await inbox.trySend({ ...input, content: { text: 'Changed' } })).__typename).toBe('IdempotencyConflictError')
})

test('what it answers stays; what a reaction is on belongs to the reaction', async () => {
  const { sent: taken, says } = await scriptChannel(inbox.app, 'MESSENGER')
  const { communicationId, conversationId } = await says('user-1')
  const { externalMessageId } = await inbox.row(communicationId)
  const on = globalId('Communication', communicationId)
  const input = { to: { conversationId: globalId('Conversation', conversationId) }, sendAt: inMs(HOUR) }
  const quoting = await inbox.send({ ...input, content: { text: 'As it was' }, replyToCommunicationId: on })
  await changed(quoting, { content: { text: 'Still an answer' } })
  const reaction = await inbox.send({ ...input, content: { reaction: { communicationId: on, emoji: '👍' } } })
  await changed(reaction, { content: { text: 'No answer' } })
  for (const id of [quoting, reaction]) {
    await runNow(inbox.app.deps.pool, id)
    await sent(id)
  }
  expect(taken.map(({ body, inReplyTo }) => [body, inReplyTo])).toEqual([
    ['Still an answer', externalMessageId],
    ['No answer', null],
  ])
})

describe('the list', () => {
  test('has what is SCHEDULED, soonest first, of everybody, a customer or a conversation', async () => {
    const phone = newPhone()
    const [late, soon] = [
      await scheduleText(inbox, 300 * HOUR, { to: { address: phone } }),
      await scheduleText(inbox, 299 * HOUR, { to: { address: phone } }),
    ]
    const other = await scheduleText(inbox, 299.5 * HOUR)
    const mine = [late, soon, other]
    const listed = async (variables = {}) => (await ask.list({ first: 100, ...variables })).ids.filter((id) => mine.includes(id))
    expect(await listed()).toEqual([soon, other, late])
    const { customerId, conversationId } = await inbox.row(late)
    const [customer, conversation] = [globalId('Customer', customerId), globalId('Conversation', present(conversationId))]
    expect((await ask.list({ customerId: customer })).ids).toEqual([soon, late])
    expect((await ask.list({ conversationId: conversation })).ids).toEqual([soon, late])
    expect(
      (await ask.list({ customerId: globalId('Customer', (await inbox.row(other)).customerId), conversationId: conversation })).ids,
    ).toEqual([])
    expect((await ask.list({ customerId: globalId('Customer', newId()) })).ids).toEqual([])
    await changed(soon, { sendAt: inMs(301 * HOUR) })
    expect(await listed()).toEqual([other, late, soon])
    await ask.cancel(late)
    expect(await listed()).toEqual([other, soon])
    await delivered(other)
    expect(await listed()).toEqual([soon])
  })

  test('of a customer who was merged is the survivor’s, and a message of theirs can still be changed', async () => {
    const [from, into] = [await scheduleText(inbox, HOUR), await scheduleText(inbox, 2 * HOUR)]
    const before = await inbox.row(from)
    const [mergedId, survivorId] = [globalId('Customer', before.customerId), globalId('Customer', (await inbox.row(into)).customerId)]
    const { mergeCustomers } = dataOf(await inbox.app.request(MergeCustomersDocument, { input: { mergedId, survivorId } }))
    member(mergeCustomers, 'MergeCustomersSuccess')
    for (const customerId of [mergedId, survivorId]) expect((await ask.list({ customerId })).ids).toEqual([from, into])
    expect((await ask.list({ conversationId: globalId('Conversation', present(before.conversationId)) })).ids).toEqual([from, into])
    await changed(from, { sendAt: inMs(3 * HOUR), content: { text: 'After the merge' } })
    expect((await ask.list({ customerId: mergedId })).ids).toEqual([into, from])
    expect((await delivered(from)).Body).toBe('After the merge')
  })

  test('an id that is none is told, and ids of another type', async () => {
    for (const variables of [{ customerId: 'x' }, { conversationId: globalId('Customer', newId()) }]) {
      const document =
        'query ($customerId: ID, $conversationId: ID) { scheduledMessages(customerId: $customerId, conversationId: $conversationId) { nodes { id } } }'
      const { errors } = await inbox.app.request(document, variables)
      expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND', inputPath: [Object.keys(variables)[0]] } }])
    }
  })
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { globalId, localId } from '../../schema/global-id.ts'
import { ConnectChannelAccountDocument, SendMessageDocument, type SendMessageInput } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { type FakeSendgrid, startFakeSendgrid } from '../support/fake-sendgrid.ts'
import { dataOf, member, present } from '../support/result.ts'
import { type Change, inMs, scheduling } from '../support/scheduling.ts'
import { uploaded } from '../support/scripted-channel.ts'
import { runNow } from '../support/send-jobs.ts'

let sendgrid: FakeSendgrid
let app: TestApp
let channelAccountId: string

beforeAll(async () => {
  sendgrid = await startFakeSendgrid()
  app = await startTestApp({ SENDGRID_API_URL: sendgrid.url })
  const credentials = { sendgrid: { apiKey: sendgrid.apiKey, webhookPublicKey: sendgrid.publicKey, unsubscribeGroupId: 17 } }
  const input = { channel: 'EMAIL' as const, name: 'Permit desk', address: 'desk@example.org', credentials }
  const { connectChannelAccount } = dataOf(await app.request(ConnectChannelAccountDocument, { input }))
  channelAccountId = member(connectChannelAccount, 'ConnectChannelAccountSuccess').channelAccount.id
})
afterAll(async () => {
  await app?.close()
  await sendgrid?.close()
})

const pdf = (text: string) => uploaded(app, { contentType: 'application/pdf', bytes: Buffer.from(`%PDF-${text}`), filename: `${text}.pdf` })
const globalIds = (ids: string[]) => ids.map((id) => globalId('Attachment', id))

async function schedule(address: string, content: SendMessageInput['content']): Promise<string> {
  const input = { to: { address }, channelAccountId, content, sendAt: inMs(3_600_000) }
  const { sendMessage } = dataOf(await app.request(SendMessageDocument, { input }))
  return present(localId('Communication', member(sendMessage, 'SendMessageSuccess').communication.id))
}

const changed = async (id: string, change: Change) =>
  member(await scheduling(app).change(id, change), 'UpdateScheduledMessageSuccess').communication

/** The mail that SendGrid has taken, once. */
async function mailed(id: string) {
  await runNow(app.deps.pool, id)
  await eventually(async () => expect((await app.deps.db.communication.findUniqueOrThrow({ where: { id } })).deliveryStatus).toBe('SENT'))
  const mails = sendgrid.mails.filter(({ mail }) => mail.personalizations[0]?.custom_args?.communicationId === id)
  expect(mails).toHaveLength(1)
  const { subject, content, attachments = [] } = present(mails[0]).mail
  return {
    subject,
    ...Object.fromEntries(content.map(({ type, value }) => [type, value])),
    files: attachments.map(({ filename, content: bytes }) => [filename, Buffer.from(bytes, 'base64').toString()]),
  }
}

test('subject, text, HTML and files are sent as they were changed', async () => {
  const [first, second, third] = [await pdf('first'), await pdf('second'), await pdf('third')]
  const id = await schedule('ada@example.com', {
    email: { subject: 'Draft', text: 'Old', html: '<p>Old</p>', attachmentIds: globalIds([first, second]) },
  })
  const email = {
    subject: 'Your permit',
    text: 'New',
    html: '<p>New<script>alert(1)</script></p>',
    attachmentIds: globalIds([third, second]),
  }
  expect(await changed(id, { content: { email }, sendAt: inMs(7_200_000) })).toMatchObject({ subject: 'Your permit', body: 'New' })
  expect((await app.deps.db.attachment.findUniqueOrThrow({ where: { id: first } })).communicationId).toBeNull()
  expect(await mailed(id)).toEqual({
    subject: 'Your permit',
    'text/plain': 'New',
    'text/html': '<p>New</p>',
    files: [
      ['third.pdf', '%PDF-third'],
      ['second.pdf', '%PDF-second'],
    ],
  })
})

test('HTML and files that it has no more are not sent', async () => {
  const file = await pdf('gone')
  const id = await schedule('bea@example.com', {
    email: { subject: 'Your permit', text: 'Old', html: '<p>Old</p>', attachmentIds: globalIds([file]) },
  })
  await changed(id, { content: { email: { subject: 'Your permit', text: 'New' } } })
  expect(await mailed(id)).toEqual({ subject: 'Your permit', 'text/plain': 'New', files: [] })
})

test('a text alone keeps the subject that it has', async () => {
  const id = await schedule('cem@example.com', { email: { subject: 'Your permit', html: '<p>Old</p>' } })
  expect(await changed(id, { content: { text: 'New' } })).toMatchObject({ subject: 'Your permit', body: 'New' })
  expect(await mailed(id)).toEqual({ subject: 'Your permit', 'text/plain': 'New', files: [] })
})

test('what is refused leaves HTML and files as they were', async () => {
  const file = await pdf('kept')
  const id = await schedule('dan@example.com', {
    email: { subject: 'Your permit', text: 'Old', html: '<p>Old</p>', attachmentIds: globalIds([file]) },
  })
  const cases = [
    [{ email: { subject: ' ', text: 'x' } }, 'subject'],
    [{ email: { subject: 'x' } }, 'text'],
  ] as const
  for (const [content, field] of cases)
    expect(await scheduling(app).change(id, { content })).toMatchObject({
      __typename: 'ValidationError',
      path: ['input', 'content', 'email', field],
    })
  expect(await mailed(id)).toEqual({
    subject: 'Your permit',
    'text/plain': 'Old',
    'text/html': '<p>Old</p>',
    files: [['kept.pdf', '%PDF-kept']],
  })
})

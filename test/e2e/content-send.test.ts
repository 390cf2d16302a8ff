import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { globalId, localId } from '../../schema/global-id.ts'
import { Unavailable } from '../../src/channels/failures.ts'
import { createOrganization } from '../../src/domain/create-organization.ts'
import { newId } from '../../src/domain/ids.ts'
import { CommunicationContentDocument, MarkReadDocument, SendMessageDocument, type SendMessageInput } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { dataOf, member, present } from '../support/result.ts'
import { type ScriptedChannel, scriptChannel, uploaded } from '../support/scripted-channel.ts'

const PNG = Buffer.from('89504e470d0a1a0a', 'hex')

let app: TestApp
let chat: ScriptedChannel
let mail: ScriptedChannel
let people = 0

beforeAll(async () => {
  app = await startTestApp()
  chat = await scriptChannel(app, 'INSTAGRAM')
  mail = await scriptChannel(app, 'EMAIL', { textLimit: 100_000, interactive: null, content: ['TEXT', 'EMAIL', 'TEMPLATE', 'MEDIA'] })
})
afterAll(() => app.close())

const person = () => `user-${++people}`

type Input = Omit<SendMessageInput, 'to'>

const trySend = async (conversationId: string, input: Input) =>
  dataOf(await app.request(SendMessageDocument, { input: { to: { conversationId: globalId('Conversation', conversationId) }, ...input } }))
    .sendMessage

/** Sends and waits until the provider has it. */
async function send(channel: ScriptedChannel, conversationId: string, input: Input) {
  const { communication } = member(await trySend(conversationId, input), 'SendMessageSuccess')
  const id = localId('Communication', communication.id) ?? ''
  const outgoing = await eventually(async () => present(channel.sent.find(({ communicationId }) => communicationId === id)))
  await eventually(async () => {
    expect(await app.deps.db.communication.findUnique({ where: { id } })).toMatchObject({ deliveryStatus: 'SENT' })
  })
  return { id, outgoing }
}

const shown = async (id: string) =>
  present(dataOf(await app.request(CommunicationContentDocument, { id: globalId('Communication', id) })).communication)

const attachment = (id: string) => globalId('Attachment', id)
const communication = (id: string) => globalId('Communication', id)

describe('files', () => {
  const media = (ids: string[], more: object = {}) => ({ content: { media: { attachmentIds: ids.map(attachment), ...more } } })

  test('go in their order, with a link that opens without a token, and belong to the message then', async () => {
    const { conversationId } = await chat.says(person())
    const first = await uploaded(app, { contentType: 'image/png', bytes: PNG, filename: 'a.png' })
    const second = await uploaded(app, { contentType: 'application/pdf', bytes: Buffer.from('%PDF-'), filename: 'b.pdf' })
    const { id, outgoing } = await send(chat, conversationId, media([second, first], { caption: 'Two files' }))
    expect(outgoing).toMatchObject({ body: 'Two files', content: { kind: 'MEDIA', media: 'DOCUMENT', caption: 'Two files' } })
    expect(outgoing.files).toMatchObject([
      { filename: 'b.pdf', contentType: 'application/pdf', size: 5, media: 'DOCUMENT' },
      { filename: 'a.png', contentType: 'image/png', size: PNG.length, media: 'IMAGE' },
    ])
    const [, picture] = outgoing.files
    const link = present(picture).url.replace(app.deps.config.PUBLIC_URL ?? '', app.url)
    expect(Buffer.from(await (await fetch(link)).arrayBuffer())).toEqual(PNG)
    expect(await present(picture).read()).toEqual(PNG)
    expect(await shown(id)).toMatchObject({
      content: { __typename: 'MediaContent', media: 'DOCUMENT', caption: 'Two files' },
      attachments: [{ id: attachment(first) }, { id: attachment(second) }],
    })
    expect(member(await trySend(conversationId, media([first])), 'ValidationError')).toMatchObject({
      path: ['input', 'content', 'media', 'attachmentIds', '0'],
    })
  })

  test('are what the input says they are, else what their type says', async () => {
    const { conversationId } = await chat.says(person())
    const speech = await uploaded(app, { contentType: 'audio/ogg; codecs=opus', bytes: Buffer.from('OggS') })
    const tiff = await uploaded(app, { contentType: 'image/tiff', bytes: Buffer.from('II*') })
    const voice = await send(chat, conversationId, media([speech], { kind: 'VOICE' }))
    expect(voice.outgoing).toMatchObject({ content: { media: 'VOICE', caption: null }, files: [{ media: 'VOICE' }], body: '' })
    const document = await send(chat, conversationId, media([tiff]))
    expect(document.outgoing.files).toMatchObject([{ media: 'DOCUMENT' }])
  })

  test('are refused where they are too large, too many, of a wrong type, twice the same or captioned too long', async () => {
    const { conversationId } = await chat.says(person())
    const large = await uploaded(app, { contentType: 'image/png', bytes: Buffer.alloc(1001) })
    const ids = await Promise.all([1, 2, 3].map(() => uploaded(app, { contentType: 'image/png', bytes: PNG })))
    const place = ['input', 'content', 'media', 'attachmentIds']
    const answer = async (chosen: string[], more: object = {}) => trySend(conversationId, media(chosen, more))
    const tooLarge = await app.request(
      'mutation ($input: SendMessageInput!) { sendMessage(input: $input) { ... on AttachmentTooLargeError { code limit size path } } }',
      { input: { to: { conversationId: globalId('Conversation', conversationId) }, ...media([large]) } },
    )
    expect(tooLarge.data).toEqual({ sendMessage: { code: 'ATTACHMENT_TOO_LARGE', limit: 1000, size: 1001, path: [...place, '0'] } })
    expect(member(await answer(ids), 'ValidationError')).toMatchObject({ message: expect.stringMatching(/3 files/), path: place })
    expect(member(await answer(ids.slice(0, 1), { kind: 'VOICE' }), 'ContentNotSupportedError').path).toEqual([...place, '0'])
    expect(member(await answer(ids.slice(0, 1), { kind: 'STICKER' }), 'ContentNotSupportedError').path).toEqual([...place, '0'])
    expect(member(await answer([ids[0] ?? '', ids[0] ?? '']), 'ValidationError').path).toEqual(place)
    expect(member(await answer([]), 'ValidationError').path).toEqual(place)
    const caption = member(await answer(ids.slice(0, 1), { caption: 'x'.repeat(21) }), 'BodyTooLongError')
    expect(caption).toMatchObject({ limit: 20, length: 21, path: ['input', 'content', 'media', 'caption'] })
    expect(await app.deps.db.attachment.count({ where: { id: { in: [large, ...ids] }, communicationId: { not: null } } })).toBe(0)
  })

  test('of another organization, unknown or not uploaded yet cannot be sent', async () => {
    const { conversationId } = await chat.says(person())
    const other = await createOrganization(app.deps, { slug: 'strangers', name: 'Strangers' })
    const foreign = await uploaded(app, { contentType: 'image/png', bytes: PNG, organizationId: other.id })
    const pending = await uploaded(app, { contentType: 'image/png', bytes: PNG })
    await app.deps.db.attachment.update({ where: { id: pending }, data: { status: 'PENDING' } })
    for (const id of [foreign, newId()])
      expect(member(await trySend(conversationId, media([id])), 'NotFoundError').path).toEqual([
        'input',
        'content',
        'media',
        'attachmentIds',
        '0',
      ])
    expect(member(await trySend(conversationId, media([pending])), 'ValidationError').message).toMatch(/not been uploaded/)
    expect(await app.deps.db.attachment.findUnique({ where: { id: foreign } })).toMatchObject({ communicationId: null })
  })

  test('are sent once, also when two messages want one at the same time', async () => {
    const { conversationId } = await chat.says(person())
    const id = await uploaded(app, { contentType: 'image/png', bytes: PNG })
    const answers = await Promise.all(Array.from({ length: 5 }, () => trySend(conversationId, media([id]))))
    expect(answers.map(({ __typename }) => __typename).sort()).toEqual(['SendMessageSuccess', ...Array(4).fill('ValidationError')])
  })

  test('are still there for a second attempt', async () => {
    const { conversationId } = await chat.says(person())
    const id = await uploaded(app, { contentType: 'image/png', bytes: PNG })
    chat.failNext(new Unavailable('not now', 1))
    const { outgoing } = await send(chat, conversationId, media([id]))
    expect(await present(outgoing.files[0]).read()).toEqual(PNG)
  })
})

describe('questions', () => {
  const buttons = [
    { id: 'yes', title: 'Yes' },
    { id: 'no', title: 'No' },
  ]

  test('with buttons, or with a list', async () => {
    const { conversationId } = await chat.says(person())
    const asked = await send(chat, conversationId, { content: { interactive: { body: 'Shall we?', header: 'A', footer: 'B', buttons } } })
    expect(asked.outgoing).toMatchObject({
      body: 'Shall we?',
      content: { kind: 'INTERACTIVE', header: 'A', footer: 'B', buttons, list: null },
    })
    expect((await shown(asked.id)).content).toEqual({
      __typename: 'InteractiveContent',
      text: 'Shall we?',
      header: 'A',
      footer: 'B',
      buttons,
      list: null,
    })
    const sections = [
      { title: 'One', rows: [{ id: 'a', title: 'A', description: 'first' }] },
      { title: 'Two', rows: [{ id: 'b', title: 'B', description: null }] },
    ]
    const listed = await send(chat, conversationId, { content: { interactive: { body: 'Which?', list: { button: 'Open', sections } } } })
    expect(listed.outgoing.content).toMatchObject({ buttons: [], list: { button: 'Open', sections } })
    expect((await shown(listed.id)).content).toMatchObject({ list: { button: 'Open', sections } })
  })

  const row = (id: string) => ({ id, title: id })
  const section = (...ids: string[]) => ({ title: 'Part', rows: ids.map(row) })

  test.each([
    ['neither buttons nor a list', {}, 'ValidationError', []],
    ['both', { buttons, list: { button: 'Open', sections: [section('a')] } }, 'ValidationError', []],
    ['too many buttons', { buttons: ['a', 'b', 'c', 'd'].map(row) }, 'ValidationError', ['buttons']],
    ['two choices with one id', { buttons: [row('a'), row('a')] }, 'ValidationError', ['buttons']],
    ['a long button', { buttons: [{ id: 'a', title: 'x'.repeat(11) }] }, 'BodyTooLongError', ['buttons', '0', 'title']],
    ['an empty button', { buttons: [{ id: 'a', title: ' ' }] }, 'ValidationError', ['buttons', '0', 'title']],
    ['a long id', { buttons: [{ id: 'x'.repeat(201), title: 'A' }] }, 'BodyTooLongError', ['buttons', '0', 'id']],
    ['a long question', { body: 'x'.repeat(51), buttons }, 'BodyTooLongError', ['body']],
    ['a long header', { header: 'x'.repeat(61), buttons }, 'BodyTooLongError', ['header']],
    ['a long footer', { footer: 'x'.repeat(61), buttons }, 'BodyTooLongError', ['footer']],
    [
      'too many rows',
      { list: { button: 'Open', sections: [section('a', 'b', 'c'), section('d', 'e')] } },
      'ValidationError',
      ['list', 'sections'],
    ],
    [
      'a nameless section',
      { list: { button: 'Open', sections: [section('a'), { rows: [row('b')] }] } },
      'ValidationError',
      ['list', 'sections', '1', 'title'],
    ],
    ['an empty section', { list: { button: 'Open', sections: [section()] } }, 'ValidationError', ['list', 'sections', '0', 'rows']],
    [
      'a long description',
      { list: { button: 'Open', sections: [{ rows: [{ ...row('a'), description: 'x'.repeat(73) }] }] } },
      'BodyTooLongError',
      ['list', 'sections', '0', 'rows', '0', 'description'],
    ],
  ] as const)('%s is refused', async (_what, interactive, error, path) => {
    const { conversationId } = await chat.says(person())
    const answer = await trySend(conversationId, { content: { interactive: { body: 'Which?', ...interactive } as never } })
    expect(answer).toMatchObject({ __typename: error, path: ['input', 'content', 'interactive', ...path] })
  })
})

describe('reactions and quotes', () => {
  test('a reaction names the message; the message shows it until it is taken back', async () => {
    const { conversationId, communicationId } = await chat.says(person(), { externalMessageId: 'to-react-to' })
    const react = (emoji: string | null) => ({ content: { reaction: { communicationId: communication(communicationId), emoji } } })
    const { id, outgoing } = await send(chat, conversationId, react('👍🏽'))
    expect(outgoing).toMatchObject({ content: { kind: 'REACTION', emoji: '👍🏽', target: 'to-react-to' }, inReplyTo: 'to-react-to' })
    expect(await shown(id)).toMatchObject({
      body: '👍🏽',
      content: { __typename: 'ReactionContent', emoji: '👍🏽', target: { id: communication(communicationId) } },
      replyTo: { id: communication(communicationId) },
    })
    expect((await shown(communicationId)).reactions).toMatchObject([{ emoji: '👍🏽', customer: null, author: { id: expect.any(String) } }])
    await send(chat, conversationId, react('❤️'))
    expect((await shown(communicationId)).reactions.map(({ emoji }) => emoji)).toEqual(['❤️'])
    await send(chat, conversationId, react(null))
    expect((await shown(communicationId)).reactions).toEqual([])
    const told = await app.deps.db.event.findMany({ where: { communicationId, type: 'COMMUNICATION_CHANGED' } })
    expect(told.map(({ data }) => data)).toEqual(Array(3).fill({ change: 'reaction' }))
  })

  test.each(['', 'ok', '👍👍', ' 👍'])('%j is no reaction', async (emoji) => {
    const { conversationId, communicationId } = await chat.says(person())
    const answer = await trySend(conversationId, { content: { reaction: { communicationId: communication(communicationId), emoji } } })
    expect(member(answer, 'ValidationError').path).toEqual(['input', 'content', 'reaction', 'emoji'])
  })

  test('an answer quotes a message of its own conversation that the provider knows', async () => {
    const { conversationId, communicationId } = await chat.says(person(), { externalMessageId: 'to-quote' })
    const { id, outgoing } = await send(chat, conversationId, {
      content: { text: 'Quoting' },
      replyToCommunicationId: communication(communicationId),
    })
    expect(outgoing.inReplyTo).toBe('to-quote')
    expect((await shown(id)).replyTo).toEqual({ id: communication(communicationId) })
    const elsewhere = await chat.says(person())
    const unknown = member(
      await trySend(conversationId, { content: { text: 'x' }, sendAt: new Date(Date.now() + 3_600_000).toISOString() }),
      'SendMessageSuccess',
    )
    const tries = [
      [communication(elsewhere.communicationId), 'NotFoundError'],
      [communication(newId()), 'NotFoundError'],
      [globalId('Customer', elsewhere.customerId), 'NotFoundError'],
      [unknown.communication.id, 'ValidationError'],
    ] as const
    for (const [replyToCommunicationId, error] of tries) {
      const quoted = await trySend(conversationId, { content: { text: 'x' }, replyToCommunicationId })
      expect(quoted).toMatchObject({ __typename: error, path: ['input', 'replyToCommunicationId'] })
      const reacted = await trySend(conversationId, { content: { reaction: { communicationId: replyToCommunicationId, emoji: '👍' } } })
      expect(reacted).toMatchObject({ __typename: error, path: ['input', 'content', 'reaction', 'communicationId'] })
    }
  })
})

describe('e-mails', () => {
  const email = { subject: 'Your permit', html: '<p onclick="steal()">Hello <b>you</b></p><script>steal()</script>' }

  test('are sent with sanitized HTML, its text, and a way back', async () => {
    const { conversationId } = await mail.says('ann@example.com', { content: { kind: 'EMAIL' }, subject: 'Question' })
    const { id, outgoing } = await send(mail, conversationId, { content: { email } })
    expect(outgoing).toMatchObject({ subject: 'Your permit', body: 'Hello you', content: { kind: 'EMAIL' }, email: { marketing: false } })
    expect(outgoing.email?.html).toBe('<p>Hello <b>you</b></p>')
    expect(outgoing.email?.replyTo.address).toMatch(/^support\+[0-9a-z]{38}@example\.com$/)
    expect((await shown(id)).content).toMatchObject({
      __typename: 'EmailContent',
      subject: 'Your permit',
      from: { address: 'support@example.com' },
      to: [{ address: 'ann@example.com' }],
      text: 'Hello you',
      html: '<p>Hello <b>you</b></p>',
      messageId: outgoing.email?.messageId,
    })
  })

  test('have a subject, a text or HTML, and go by e-mail only', async () => {
    const { conversationId } = await mail.says('bob@example.com', { content: { kind: 'EMAIL' } })
    const path = ['input', 'content', 'email']
    expect(member(await trySend(conversationId, { content: { email: { subject: ' ', text: 'x' } } }), 'ValidationError').path).toEqual([
      ...path,
      'subject',
    ])
    expect(member(await trySend(conversationId, { content: { email: { subject: 'x' } } }), 'ValidationError').path).toEqual([
      ...path,
      'text',
    ])
    expect(member(await trySend(conversationId, { content: { text: 'no subject' } }), 'ValidationError').path).toEqual([...path, 'subject'])
    const other = await chat.says(person())
    expect(member(await trySend(other.conversationId, { content: { email } }), 'ContentNotSupportedError').path).toEqual(path)
  })

  test('written as plain text continue the conversation’s subject', async () => {
    const { conversationId } = await mail.says('eve@example.com', { content: { kind: 'EMAIL' }, subject: 'Question' })
    await send(mail, conversationId, { content: { email: { subject: 'Opening hours', text: 'From nine.' } } })
    const { outgoing } = await send(mail, conversationId, { content: { text: 'To five.' } })
    expect(outgoing).toMatchObject({ subject: 'Re: Opening hours', body: 'To five.' })
  })
})

test('a provider is told of the newest message that staff has read, once', async () => {
  const from = person()
  await chat.says(from, { externalMessageId: 'read-1' })
  const { conversationId } = await chat.says(from, { externalMessageId: 'read-2' })
  const input = { target: { conversationId: globalId('Conversation', conversationId) } }
  const marked = async () => member(dataOf(await app.request(MarkReadDocument, { input })).markRead, 'MarkReadSuccess').markedCount
  expect(await marked()).toBe(2)
  await eventually(async () => expect(chat.read).toEqual(['read-2']))
  expect(await marked()).toBe(0)
  const jobs = await app.deps.pool.query("SELECT FROM graphile_worker.jobs WHERE task_identifier = 'mark-read-at-provider'")
  expect(jobs.rowCount).toBe(0)
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { globalId } from '../../schema/global-id.ts'
import type { Content } from '../../src/channels/content.ts'
import type { MessageFact } from '../../src/channels/fact.ts'
import type { Prisma } from '../../src/db/generated/client.ts'
import { applyEdit, applyRevoke } from '../../src/domain/apply-edit.ts'
import { AddNoteDocument, CommunicationContentDocument, LogCallDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { countStatements } from '../support/count-statements.ts'
import { dataOf, member, present } from '../support/result.ts'
import { type ScriptedChannel, scriptChannel, uploaded } from '../support/scripted-channel.ts'

let app: TestApp
let chat: ScriptedChannel
let mail: ScriptedChannel
let people = 0

beforeAll(async () => {
  app = await startTestApp({ WORKER: 'off' })
  chat = await scriptChannel(app, 'INSTAGRAM')
  mail = await scriptChannel(app, 'EMAIL')
})
afterAll(() => app.close())

const person = () => `user-${++people}`

const shown = async (id: string) =>
  present(dataOf(await app.request(CommunicationContentDocument, { id: globalId('Communication', id) })).communication)

const says = async (fact: Partial<MessageFact> & { content: Content }) => shown((await chat.says(person(), fact)).communicationId)

describe('each kind of content', () => {
  test('text', async () => {
    expect(await says({ content: { kind: 'TEXT' }, body: 'Hello' })).toMatchObject({
      body: 'Hello',
      content: { __typename: 'TextContent', text: 'Hello' },
      isRevoked: false,
      editedAt: null,
      edits: [],
      reactions: [],
      replyTo: null,
      referral: null,
      carriedBy: null,
      purpose: 'TRANSACTIONAL',
    })
  })

  test('media', async () => {
    const content: Content = { kind: 'MEDIA', media: 'STICKER', caption: null }
    expect((await says({ content, body: '' })).content).toEqual({ __typename: 'MediaContent', media: 'STICKER', caption: null })
  })

  test('a template’s answer, a choice and an order', async () => {
    const reply = { kind: 'INTERACTIVE_REPLY', id: 'b1', title: 'Yes', description: 'sure', data: null } as const
    for (const kind of ['BUTTON', 'LIST', 'QUICK_REPLY', 'POSTBACK', 'FLOW', 'ORDER'] as const) {
      const data = kind === 'ORDER' ? { items: [1] } : null
      expect((await says({ content: { ...reply, reply: kind, data }, body: 'Yes' })).content).toEqual({
        __typename: 'InteractiveReplyContent',
        reply: kind,
        choiceId: 'b1',
        title: 'Yes',
        description: 'sure',
        data,
      })
    }
  })

  test('a place', async () => {
    const place = { latitude: 41.01, longitude: -28.9, name: 'Office', address: null, url: 'https://example.com' }
    expect((await says({ content: { kind: 'LOCATION', ...place } })).content).toEqual({ __typename: 'LocationContent', ...place })
  })

  test('contacts', async () => {
    const contacts = [
      { name: 'Ann', organization: null, phones: [{ value: '+15550100', type: 'WORK' }], emails: [{ value: 'a@b.c', type: null }] },
    ]
    expect((await says({ content: { kind: 'CONTACTS', contacts } })).content).toEqual({ __typename: 'ContactsContent', contacts })
  })

  test('what is not understood', async () => {
    const raw = { poll: { question: 'Why?' } }
    expect((await says({ content: { kind: 'UNSUPPORTED', type: 'poll', raw }, body: '' })).content).toEqual({
      __typename: 'UnsupportedContent',
      type: 'poll',
      raw,
    })
  })

  test('an e-mail, its own pictures as links', async () => {
    const { communicationId } = await mail.says('ann@example.com', {
      content: { kind: 'EMAIL' },
      subject: 'Photos',
      body: 'See below',
      email: {
        messageId: 'id@example.com',
        references: [],
        from: { name: 'Ann', address: 'ann@example.com' },
        to: [{ name: null, address: 'support@example.com' }],
        cc: [{ name: null, address: 'bob@example.com' }],
        html: '<p>See <img src="cid:pic%40x" /> and <img src="cid:gone" /></p>',
        quotedText: '> before',
      },
    })
    const file = await uploaded(app, { contentType: 'image/png', bytes: Buffer.from('png') })
    await app.deps.db.attachment.update({ where: { id: file }, data: { communicationId, contentId: 'pic@x' } })
    const { content } = await shown(communicationId)
    const email = member(content, 'EmailContent')
    expect(email).toMatchObject({
      subject: 'Photos',
      from: { name: 'Ann', address: 'ann@example.com' },
      to: [{ address: 'support@example.com' }],
      cc: [{ address: 'bob@example.com' }],
      text: 'See below',
      quotedText: '> before',
      messageId: 'id@example.com',
    })
    const link = /src="([^"]+\/attachments\/[^"]+)"/.exec(email.html ?? '')?.[1]?.replaceAll('&amp;', '&')
    const url = present(link).replace(app.deps.config.PUBLIC_URL ?? '', app.url)
    expect(await (await fetch(url)).text()).toBe('png')
    expect(email.html).toContain('src="cid:gone"')
  })

  test('notes and calls', async () => {
    const { customerId } = await chat.says(person())
    const input = { customerId: globalId('Customer', customerId), body: 'Told so' }
    const note = member(dataOf(await app.request(AddNoteDocument, { input })).addNote, 'AddNoteSuccess').communication
    const ask = async (id: string) => present(dataOf(await app.request(CommunicationContentDocument, { id })).communication).content
    expect(await ask(note.id)).toEqual({ __typename: 'NoteContent', text: 'Told so' })
    const call = member(
      dataOf(await app.request(LogCallDocument, { input: { ...input, outcome: 'ANSWERED', durationSeconds: 60 } })).logCall,
      'LogCallSuccess',
    ).communication
    expect(await ask(call.id)).toEqual({
      __typename: 'CallLogContent',
      text: 'Told so',
      outcome: 'ANSWERED',
      startedAt: null,
      durationSeconds: 60,
    })
  })

  test.each<[string, Prisma.InputJsonObject, object]>([
    [
      'a place',
      { location: { latitude: 1.5, longitude: 2, label: 'Here', address: 'Street 1' } },
      { __typename: 'LocationContent', latitude: 1.5, longitude: 2, name: 'Here', address: 'Street 1', url: null },
    ],
    [
      'a button',
      { button: { text: 'Yes', payload: 'y', type: 'reply' } },
      { __typename: 'InteractiveReplyContent', reply: 'BUTTON', choiceId: 'y', title: 'Yes' },
    ],
    [
      'a row of a list',
      { list: { id: 'r1', title: 'Row', description: 'd' } },
      { __typename: 'InteractiveReplyContent', reply: 'LIST', choiceId: 'r1', title: 'Row', description: 'd' },
    ],
    ['words only', { referral: { headline: 'Sale' } }, { __typename: 'TextContent' }],
  ])('of before contents were stored: %s', async (_what, payload, expected) => {
    const { communicationId } = await chat.says(person())
    await app.deps.db.communication.update({ where: { id: communicationId }, data: { payload } })
    expect((await shown(communicationId)).content).toMatchObject(expected)
  })
})

test.each([
  [
    { sourceType: 'ad', sourceId: '7', sourceUrl: 'https://fb.me/x', headline: 'Sale', body: 'Now', ctwaClid: 'click' },
    { source: 'ad', sourceId: '7', sourceUrl: 'https://fb.me/x', headline: 'Sale', body: 'Now', ref: null, clickId: 'click' },
  ],
  [
    { source: 'ADS', ad_id: '8', ref: 'summer', ads_context_data: { ad_title: 'Boots' } },
    { source: 'ADS', sourceId: '8', sourceUrl: null, headline: 'Boots', body: null, ref: 'summer', clickId: null },
  ],
])('what led the customer here: %j', async (raw, expected) => {
  expect((await says({ content: { kind: 'TEXT' }, payload: { referral: raw } })).referral).toEqual({ ...expected, raw })
})

describe('what hangs on a message', () => {
  test('the customer’s latest reaction, beside ours', async () => {
    const from = person()
    const { communicationId } = await chat.says(from, { externalMessageId: 'liked' })
    const react = (emoji: string | null) =>
      chat.says(from, { content: { kind: 'REACTION', emoji, target: 'liked' }, body: emoji ?? '', inReplyTo: 'liked' })
    await react('😮')
    const { customerId } = await react('❤️')
    expect((await shown(communicationId)).reactions).toMatchObject([
      { emoji: '❤️', author: null, customer: { id: globalId('Customer', customerId) } },
    ])
    await react(null)
    expect((await shown(communicationId)).reactions).toEqual([])
  })

  test('a reaction or quote of what is not in the log has no target, and none of another account’s', async () => {
    await mail.says('other@example.com', { content: { kind: 'EMAIL' }, externalMessageId: 'elsewhere' })
    const content: Content = { kind: 'REACTION', emoji: '👍', target: 'elsewhere' }
    const { content: reaction, replyTo } = await says({ content, inReplyTo: 'elsewhere' })
    expect(reaction).toEqual({ __typename: 'ReactionContent', emoji: '👍', target: null })
    expect(replyTo).toBeNull()
  })

  test('what it said before it was edited; what was taken back is gone', async () => {
    const { communicationId } = await chat.says(person(), { externalMessageId: 'edited', body: 'First' })
    const at = (second: number) => new Date(Date.UTC(2026, 10, 21, 12, 0, second))
    const edit = { kind: 'edit', externalMessageId: 'edited', content: { kind: 'TEXT' } } as const
    await applyEdit(app.deps, chat.account, { ...edit, revision: '1', body: 'Second', at: at(1) })
    await applyEdit(app.deps, chat.account, { ...edit, revision: '2', body: 'Third', at: at(2) })
    expect(await shown(communicationId)).toMatchObject({
      body: 'Third',
      editedAt: at(2).toISOString(),
      edits: [
        { body: 'First', replacedAt: at(1).toISOString() },
        { body: 'Second', replacedAt: at(2).toISOString() },
      ],
    })
    await applyRevoke(app.deps, chat.account, { kind: 'revoke', externalMessageId: 'edited', at: at(3) })
    expect(await shown(communicationId)).toMatchObject({
      body: '',
      isRevoked: true,
      revokedAt: at(3).toISOString(),
      content: { __typename: 'TextContent', text: '' },
      edits: [],
    })
  })
})

test('a longer page takes no more statements', async () => {
  const from = person()
  const { conversationId } = await chat.says(from, { externalMessageId: 'page-0' })
  const document = `query ($id: ID!, $last: Int!) { conversation(id: $id) { communications(last: $last) { nodes {
    content { __typename ... on ReactionContent { target { id } } ... on EmailContent { html from { address } } }
    reactions { emoji customer { id } } replyTo { id body } edits { body } attachments { id }
  } } } }`
  const counted = async (last: number) => {
    const statements = countStatements()
    const answer = await app.request(document, { id: globalId('Conversation', conversationId), last })
    const count = statements.count()
    statements.stop()
    expect(answer.errors).toBeUndefined()
    return count
  }
  for (const n of [1, 2, 3, 4]) {
    const inReplyTo = `page-${n - 1}`
    const message = await chat.says(from, { externalMessageId: `page-${n}`, inReplyTo })
    await app.deps.db.communication.update({ where: { id: message.communicationId }, data: { editedAt: new Date() } })
    await chat.says(from, { content: { kind: 'REACTION', emoji: '👍', target: inReplyTo }, inReplyTo })
  }
  const short = await counted(2)
  expect(short).toBeGreaterThan(5)
  expect(await counted(9)).toBe(short)
})

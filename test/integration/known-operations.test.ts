import { readFile } from 'node:fs/promises'
import { execute, parse } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Context } from '../../schema/context.ts'
import { answerKnown } from '../../schema/known/operations.ts'
import { schema } from '../../schema/schema.ts'
import { createAuthenticator } from '../../src/auth/authenticate.ts'
import type { MessageFact } from '../../src/channels/fact.ts'
import { addNote } from '../../src/domain/add-note.ts'
import { assignConversation, setConversationStatus } from '../../src/domain/change-conversation.ts'
import { newId } from '../../src/domain/ids.ts'
import { receiveMessages } from '../../src/domain/receive-message.ts'
import { sendMessage } from '../../src/domain/send-message.ts'
import { startTestApp, type TestApp } from '../support/app.ts'

let app: TestApp
let context: Context
let text: string
let document: ReturnType<typeof parse>
let conversationIds: string[]

beforeAll(async () => {
  app = await startTestApp({ WORKER: 'off' })
  const { deps } = app
  const viewer = await createAuthenticator(deps).authenticate(`Bearer ${await app.token()}`)
  context = { deps, viewer } as Context
  text = await readFile('schema/operations/inbox.graphql', 'utf8')
  document = parse(text)
  await seed()
  const rows = await deps.db.conversation.findMany({ orderBy: { id: 'asc' } })
  conversationIds = rows.map((row) => Buffer.from(`Conversation:${row.id}`).toString('base64'))
}, 60_000)

afterAll(() => app.close())

/** Conversations with everything that a row or an item can show: windows, failures, authors, attachments, odd texts. */
async function seed(): Promise<void> {
  const { deps } = app
  const organizationId = context.viewer?.organization.id ?? ''
  const actor = { organizationId, memberId: context.viewer?.member?.id ?? null }
  const accounts = await deps.db.channelAccount.findMany()
  for (const account of accounts) {
    for (const [index, body] of ['plain', 'quote " back \\ slash', '\u0001\u001e\u2028 emoji 👩‍👩‍👧 𝕳', '', 'x'.repeat(3000)].entries()) {
      const address = `+9055511122${index}${account.channel === 'SMS' ? 1 : 2}`
      const fact: MessageFact = {
        kind: 'message',
        externalMessageId: `${account.channel}-${index}`,
        address,
        identities: [{ kind: 'PHONE', scope: '', value: address, verified: true }],
        profileName: index % 2 === 0 ? `Customer "${index}"` : null,
        body,
        attachments:
          index === 1
            ? [
                { url: 'https://api.twilio.com/a', contentType: 'image/png' },
                { url: 'https://api.twilio.com/b', contentType: null },
              ]
            : [],
        content: { kind: 'TEXT' },
        payload: null,
        consent: null,
      }
      const [result] = await receiveMessages(deps, organizationId, null, [
        { account, windowHours: account.channel === 'WHATSAPP' ? 24 : null, fact },
      ])
      if (result?.status !== 'fulfilled') throw new Error(`not received: ${JSON.stringify(result)}`)
      const received = result.value
      const conversationId = received?.conversationId ?? ''
      await addNote(deps, actor, { customerId: received?.customerId ?? '', conversationId, body: `note ${index}` })
      await sendMessage(deps, actor, {
        to: { conversationId },
        content: { text: `answer ${index}` },
        idempotencyKey: `${account.channel} ${index}`,
      })
      if (index === 2) await assignConversation(deps, actor, { conversationId, assigneeId: actor.memberId })
      if (index === 3) await setConversationStatus(deps, actor, { conversationId, status: 'CLOSED' })
    }
  }
  await deps.db.communication.updateMany({
    where: { direction: 'OUTBOUND', body: 'answer 1' },
    data: { deliveryStatus: 'FAILED', failureCode: '30008', failureMessage: 'no' },
  })
  await deps.db.communication.updateMany({
    where: { body: 'answer 2' },
    data: { deliveryStatus: 'READ', sentAt: new Date(), deliveredAt: new Date(), readAt: new Date() },
  })
  await deps.db.communication.updateMany({ where: { body: 'plain' }, data: { revokedAt: new Date(), body: '' } })
  await deps.db.conversation.updateMany({ where: { status: 'CLOSED' }, data: { windowExpiresAt: new Date(Date.now() - 1000) } })
  const [file] = await deps.db.attachment.findMany()
  await deps.db.attachment.update({
    where: { id: file?.id ?? '' },
    data: { status: 'STORED', size: 5, filename: 'a "b".png', storageKey: `attachments/${newId()}` },
  })
}

async function both(operationName: string, variables: Record<string, unknown>) {
  const known = await answerKnown(schema, { query: text, operationName, variables }, context)
  const executed = await execute({ schema, document, operationName, variableValues: variables, contextValue: { ...context } })
  return {
    known: known === null ? null : (JSON.parse(known) as unknown),
    executed: JSON.parse(JSON.stringify(executed)) as { data: never },
  }
}

describe('the answer to a known operation is the executor’s', () => {
  it.each([
    {},
    { first: 3 },
    { first: 100, filter: { status: 'OPEN' } },
    { filter: { channels: ['WHATSAPP'], unread: true } },
    { filter: { search: '9055' } },
    { filter: { unassigned: true, status: 'CLOSED' } },
    { filter: { search: 'nobody has this' } },
  ])('Inbox %j', async (variables) => {
    const { known, executed } = await both('Inbox', variables)
    expect(known).toEqual(executed)
    expect(known).not.toBeNull()
  })

  it('Inbox, page after page', async () => {
    let after: string | null = null
    let pages = 0
    do {
      const { known, executed } = await both('Inbox', { first: 4, after })
      expect(known).toEqual(executed)
      const { pageInfo } = (executed.data as { conversations: { pageInfo: { hasNextPage: boolean; endCursor: string } } }).conversations
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null
      pages += 1
    } while (after !== null)
    expect(pages).toBe(3)
  })

  it('ConversationThread of every conversation, page after page', async () => {
    for (const id of conversationIds) {
      let before: string | null = null
      do {
        const { known, executed } = await both('ConversationThread', { id, last: 2, before })
        expect(known).toEqual(executed)
        type Thread = { conversation: { communications: { pageInfo: { hasPreviousPage: boolean; startCursor: string } } } }
        const { pageInfo } = (executed.data as Thread).conversation.communications
        before = pageInfo.hasPreviousPage ? pageInfo.startCursor : null
      } while (before !== null)
    }
    expect(conversationIds).toHaveLength(10)
  })

  it('ConversationThread of another organization, or of none', async () => {
    const other = Buffer.from(`Conversation:${newId()}`).toString('base64')
    const { known, executed } = await both('ConversationThread', { id: other })
    expect(known).toEqual(executed)
    expect(known).toEqual({ data: { conversation: null } })
  })
})

describe('anything unusual is left to the executor', () => {
  const answer = (query: string) => answerKnown(schema, { query }, context)

  it.each([{ first: 0 }, { first: 'many' }, { after: 'no cursor' }, { filter: { assigneeId: 'x' } }])('Inbox %j', async (variables) => {
    expect(await answerKnown(schema, { query: text, operationName: 'Inbox', variables }, context)).toBeNull()
  })

  it('another selection, and nobody signed in', async () => {
    expect(await answer('query Inbox { conversations { nodes { id } } }')).toBeNull()
    expect(await answerKnown(schema, { query: text, operationName: 'Inbox' }, { ...context, viewer: null })).toBeNull()
  })

  it('text that is no query', async () => {
    expect(await answer('query Inbox {')).toBeNull()
  })

  it('is recognized in any spelling', async () => {
    const { print } = await import('graphql')
    const shuffled = { ...document, definitions: [...document.definitions].reverse() }
    expect(await answerKnown(schema, { query: print(shuffled), operationName: 'Inbox' }, context)).not.toBeNull()
  })
})

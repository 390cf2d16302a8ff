import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Capabilities } from '../../src/channels/channel.ts'
import type { Actor } from '../../src/domain/actor.ts'
import type { ContentInput } from '../../src/domain/content-input.ts'
import { deliverMessage } from '../../src/domain/deliver-message.ts'
import { UserError } from '../../src/domain/errors.ts'
import { newId } from '../../src/domain/ids.ts'
import { sendMessage } from '../../src/domain/send-message.ts'
import { sendability } from '../../src/domain/sendability.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { present } from '../support/result.ts'
import { type ScriptedChannel, scriptChannel } from '../support/scripted-channel.ts'

const HOUR = 3_600_000

let app: TestApp
let chat: ScriptedChannel
let member: Actor
let program: Actor
let approved: string
let ours: string
let advertisement: string

beforeAll(async () => {
  app = await startTestApp({ WORKER: 'off' })
  chat = await scriptChannel(app, 'INSTAGRAM')
  await app.request('{ viewer { id } }')
  const { id, organizationId } = await app.deps.db.member.findFirstOrThrow()
  member = { organizationId, memberId: id }
  program = { organizationId, memberId: null }
  const template = async (name: string, more: object) => {
    const data = { id: newId(), organizationId, name, scope: '', body: 'Your permit is ready.', ...more }
    return (await app.deps.db.template.create({ data })).id
  }
  const theirs = { channelAccountId: chat.account.id, scope: chat.account.id, providerTemplateId: 'p1', status: 'APPROVED' as const }
  approved = await template('approved', theirs)
  ours = await template('ours', {})
  advertisement = await template('advertisement', { purpose: 'MARKETING' })
})
afterAll(() => app.close())

type State = {
  capabilities: Partial<Capabilities>
  /** Hours since the customer wrote; the window was open for `opens` hours. null: never. */
  wrote: number | null
  opens: number
  active: boolean
  optedOut: ('TRANSACTIONAL' | 'MARKETING')[]
}

const states: fc.Arbitrary<State> = fc.record({
  capabilities: fc.record({
    messagingWindowHours: fc.constantFrom(null, 24),
    humanAgentHours: fc.constantFrom(null, 168),
    businessInitiated: fc.boolean(),
    templatesNeedApproval: fc.boolean(),
    content: fc.constantFrom(['TEXT', 'TEMPLATE'] as const, ['TEXT'] as const),
    textLimit: fc.constantFrom(100, 10),
  }),
  wrote: fc.option(fc.integer({ min: 1, max: 200 }), { nil: null }),
  opens: fc.constantFrom(24, 168),
  active: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  optedOut: fc.oneof(
    { weight: 3, arbitrary: fc.constant<State['optedOut']>([]) },
    { weight: 2, arbitrary: fc.subarray<'TRANSACTIONAL' | 'MARKETING'>(['TRANSACTIONAL', 'MARKETING']) },
  ),
})

const kinds = (): { name: string; actor: Actor; content: ContentInput }[] => [
  { name: 'person', actor: member, content: { text: 'Hello' } },
  { name: 'program', actor: program, content: { text: 'Hello' } },
  { name: 'long', actor: member, content: { text: 'Hello, this is long' } },
  { name: 'approved', actor: program, content: { template: { templateId: approved } } },
  { name: 'ours', actor: program, content: { template: { templateId: ours } } },
  { name: 'advertisement', actor: program, content: { template: { templateId: advertisement } } },
]

async function enter(state: State, conversationId: string, customerId: string): Promise<void> {
  const { db } = app.deps
  chat.becomes(state.capabilities)
  const lastInboundAt = state.wrote === null ? null : new Date(Date.now() - state.wrote * HOUR)
  const windowExpiresAt = lastInboundAt === null ? null : new Date(lastInboundAt.getTime() + state.opens * HOUR)
  await db.conversation.update({ where: { id: conversationId }, data: { lastInboundAt, windowExpiresAt } })
  await db.channelAccount.update({ where: { id: chat.account.id }, data: { status: state.active ? 'ACTIVE' : 'PENDING' } })
  const word = { organizationId: member.organizationId, customerId, channel: 'INSTAGRAM', state: 'OPTED_OUT', source: 'STAFF' } as const
  await db.consentEntry.createMany({ data: state.optedOut.map((purpose) => ({ ...word, id: newId(), purpose, occurredAt: new Date() })) })
}

async function leave(): Promise<void> {
  chat.becomes({})
  await app.deps.db.channelAccount.update({ where: { id: chat.account.id }, data: { status: 'ACTIVE' } })
}

const byMutation = async (conversationId: string, actor: Actor, content: ContentInput): Promise<string> => {
  try {
    await sendMessage(app.deps, actor, { to: { conversationId }, content })
    return 'SENT'
  } catch (error) {
    if (error instanceof UserError) return error.code
    throw error
  }
}

const byWorker = async (communicationId: string): Promise<string> => {
  await deliverMessage(app.deps, communicationId)
  const row = await app.deps.db.communication.findUniqueOrThrow({ where: { id: communicationId } })
  return row.deliveryStatus === 'FAILED' ? (row.failureCode ?? '') : (row.deliveryStatus ?? '')
}

let people = 0

test('the mutation, the worker and sendability are of one mind, whatever the state', async () => {
  const reached = new Set<string>()
  await fc.assert(
    fc.asyncProperty(states, async (state) => {
      await leave()
      const { conversationId, customerId } = await chat.says(`user-${++people}`)
      const queued = new Map<string, string>()
      for (const { name, actor, content } of kinds())
        queued.set(name, (await sendMessage(app.deps, actor, { to: { conversationId }, content })).id)
      await enter(state, conversationId, customerId)
      const mutation: Record<string, string> = {}
      const worker: Record<string, string> = {}
      for (const { name, actor, content } of kinds()) {
        mutation[name] = await byMutation(conversationId, actor, content)
        worker[name] = await byWorker(queued.get(name) ?? '')
        reached.add(`${name} ${mutation[name]}`)
      }
      expect(worker).toEqual(mutation)

      const rows = (await sendability(app.deps, member.organizationId, [customerId])).get(customerId)
      const row = present(rows?.find(({ account }) => account.id === chat.account.id))
      const passes = (name: string) => mutation[name] === 'SENT'
      const fits = (state.capabilities.textLimit ?? 0) === 100
      const usable = row.templates.map(({ id }) => id)
      expect(row.canSend && !row.templatesOnly).toBe(passes('person'))
      expect(row.canSend && !row.templatesOnly && !row.humanAgentOnly && row.reason === null).toBe(passes('program'))
      const carriesTemplates = state.capabilities.content?.includes('TEMPLATE') === true
      if (fits) {
        if (carriesTemplates && !row.humanAgentOnly) expect(usable.includes(approved)).toBe(passes('approved'))
        if (row.reason === null || row.templatesOnly) {
          expect(usable.includes(ours)).toBe(passes('ours'))
          expect(usable.includes(advertisement)).toBe(passes('advertisement'))
        }
      }
      if (!row.canSend) expect(Object.values(mutation)).not.toContain('SENT')
    }),
    // A fixed seed, because what must be reached is asserted below.
    { numRuns: 30, seed: 20261121 },
  )
  expect([...reached]).toEqual(
    expect.arrayContaining([
      'person SENT',
      'program SENT',
      'program MESSAGING_WINDOW_CLOSED',
      'person RECIPIENT_OPTED_OUT',
      'long BODY_TOO_LONG',
    ]),
  )
}, 120_000)

test('a person’s answer after the window goes out with the tag; the same by a program, for later or as an advertisement does not', async () => {
  await leave()
  const { conversationId, customerId } = await chat.says(`user-${++people}`)
  const capabilities = { messagingWindowHours: 24, humanAgentHours: 168, businessInitiated: false }
  await enter({ capabilities, wrote: 30, opens: 24, active: true, optedOut: [] }, conversationId, customerId)
  const input = { to: { conversationId }, content: { text: 'Hello' } }
  const { id } = await sendMessage(app.deps, member, input)
  expect(await byWorker(id)).toBe('SENT')
  expect(chat.sent.at(-1)).toMatchObject({ communicationId: id, humanAgent: true })
  const closed = expect.objectContaining({ code: 'MESSAGING_WINDOW_CLOSED' })
  await expect(sendMessage(app.deps, program, input)).rejects.toEqual(closed)
  await expect(sendMessage(app.deps, member, { ...input, sendAt: new Date(Date.now() + HOUR) })).rejects.toEqual(closed)
  await expect(sendMessage(app.deps, member, { ...input, purpose: 'MARKETING' })).rejects.toEqual(closed)
  await enter({ capabilities, wrote: 1, opens: 24, active: true, optedOut: [] }, conversationId, customerId)
  const within = await sendMessage(app.deps, member, input)
  expect(await byWorker(within.id)).toBe('SENT')
  expect(chat.sent.at(-1)).toMatchObject({ communicationId: within.id, humanAgent: false })
})

test('an advertisement asks another consent than an answer', async () => {
  await leave()
  const { conversationId, customerId } = await chat.says(`user-${++people}`)
  await enter({ capabilities: {}, wrote: 1, opens: 24, active: true, optedOut: ['MARKETING'] }, conversationId, customerId)
  const send = (content: ContentInput, purpose?: 'MARKETING') => sendMessage(app.deps, member, { to: { conversationId }, content, purpose })
  expect(await send({ text: 'Your permit is ready' })).toMatchObject({ purpose: 'TRANSACTIONAL' })
  const refused = expect.objectContaining({ code: 'RECIPIENT_OPTED_OUT' })
  await expect(send({ text: 'Sale!' }, 'MARKETING')).rejects.toEqual(refused)
  await expect(send({ template: { templateId: advertisement } })).rejects.toEqual(refused)
  await app.deps.db.consentEntry.deleteMany({ where: { customerId } })
  expect(await send({ template: { templateId: advertisement } })).toMatchObject({ purpose: 'MARKETING' })
})

test('a template is the account’s own, approved, and keeps what the provider was told', async () => {
  await leave()
  const { conversationId } = await chat.says(`user-${++people}`)
  const send = (templateId: string) => sendMessage(app.deps, member, { to: { conversationId }, content: { template: { templateId } } })
  const components = [{ type: 'BODY', text: 'Your permit is ready.' }]
  await app.deps.db.template.update({ where: { id: approved }, data: { components, language: 'pt_BR' } })
  const { id } = await send(approved)
  expect(await byWorker(id)).toBe('SENT')
  expect(chat.sent.at(-1)?.template).toEqual({ id: 'p1', name: 'approved', language: 'pt_BR', variables: {}, components })

  const path = ['input', 'content', 'template', 'templateId']
  const late = await send(approved)
  await app.deps.db.template.update({ where: { id: approved }, data: { status: 'PAUSED' } })
  await expect(send(approved)).rejects.toEqual(expect.objectContaining({ code: 'TEMPLATE_NOT_APPROVED', status: 'PAUSED', path }))
  expect(await byWorker(late.id)).toBe('TEMPLATE_NOT_APPROVED')

  const other = await app.deps.db.channelAccount.findFirstOrThrow({ where: { id: { not: chat.account.id } } })
  await app.deps.db.template.update({
    where: { id: approved },
    data: { status: 'APPROVED', channelAccountId: other.id },
  })
  await expect(send(approved)).rejects.toEqual(expect.objectContaining({ code: 'INVALID_INPUT', path }))
})

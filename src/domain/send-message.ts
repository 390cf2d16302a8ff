import type { Communication, Template } from '../db/generated/client.ts'
import { Prisma } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { type Tx, transact } from '../events/transact.ts'
import { enqueue } from '../jobs/enqueue.ts'
import type { Actor } from './actor.ts'
import { hasOptedOut } from './consent.ts'
import { ensureConversation, touchConversation } from './conversations.ts'
import { ensureCustomer, lockCustomers } from './customers.ts'
import { NotFoundError, RecipientOptedOutError, ValidationError } from './errors.ts'
import { checkedKey, inputHash, madeBefore } from './idempotency.ts'
import { newId, timeOfId } from './ids.ts'
import { checkLength, checkWindow } from './policies.ts'
import { renderTemplate } from './render-template.ts'
import { type Recipient, type RecipientInput, resolveRecipient } from './resolve-recipient.ts'
import { templateValues } from './template-values.ts'
import { requiredText } from './text.ts'
import { isUniqueViolation } from './unique-violation.ts'

export type SendMessageInput = RecipientInput & {
  content: { text?: string | null; template?: { templateId: string; variables?: unknown } | null }
  /** When to send; absent: now. */
  sendAt?: Date | null
  idempotencyKey?: string | null
}

type Content = { body: string; subject: string | null; template: Template | null; variables: Record<string, string>; path: string[] }

const MAX_AHEAD_DAYS = 366
const MAX_TEXT = 100_000

/**
 * Writes the communication, its event and its job in one transaction; the worker calls the provider. The same `idempotencyKey` with the
 * same input gives the same communication. Throws UserErrors; a refused message leaves nothing behind.
 */
export async function sendMessage(deps: Deps, actor: Actor, input: SendMessageInput): Promise<Communication> {
  const key = checkedKey(input.idempotencyKey)
  const hash = inputHash({ ...input, idempotencyKey: null })
  if (key !== null) {
    const before = await madeBefore(deps, actor.organizationId, key, hash)
    if (before !== null) return before
  }
  const sendAt = checkedSendAt(input.sendAt, deps.clock())
  const recipient = await resolveRecipient(deps, actor.organizationId, input)
  try {
    return await transact(deps, actor.organizationId, async (tx, recorder) => {
      const customerId =
        recipient.customerId ??
        (await ensureCustomer(
          tx,
          recorder,
          actor.organizationId,
          recipient.adapter.identify(recipient.address, recipient.account.address),
          actor.memberId,
        ))
      await lockCustomers(tx, actor.organizationId, [customerId])
      const content = await compose(tx, actor, customerId, recipient, input.content)
      await checkPolicies(tx, recipient, customerId, content, sendAt ?? deps.clock())
      const conversation = await ensureConversation(tx, recorder, recipient, customerId, actor.memberId)
      const id = newId()
      const communication = await tx.communication.create({
        data: {
          id,
          organizationId: actor.organizationId,
          customerId,
          conversationId: conversation.id,
          channelAccountId: recipient.account.id,
          type: recipient.account.channel,
          direction: 'OUTBOUND',
          subject: content.subject,
          body: content.body,
          payload: payloadOf(content),
          authorId: actor.memberId,
          templateId: content.template?.id ?? null,
          deliveryStatus: sendAt === null ? 'PENDING' : 'SCHEDULED',
          address: recipient.address,
          idempotencyKey: key,
          idempotencyHash: key === null ? null : hash,
          sendAt,
          createdAt: timeOfId(id),
        },
      })
      await touchConversation(tx, conversation.id, id, 1)
      await enqueue(
        tx,
        'deliver',
        { communicationId: id },
        { queue: `conversation:${conversation.id}`, ...(sendAt === null ? {} : { runAt: sendAt }) },
      )
      recorder.event({
        type: 'COMMUNICATION_CREATED',
        actorId: actor.memberId,
        customerId,
        conversationId: conversation.id,
        communicationId: id,
      })
      return communication
    })
  } catch (error) {
    // Concurrent calls with one key: the unique index lets one through, the others find what it made.
    if (key === null || !isUniqueViolation(error)) throw error
    const winner = await madeBefore(deps, actor.organizationId, key, hash)
    if (winner === null) throw error
    return winner
  }
}

const payloadOf = (content: Content) =>
  content.template?.providerTemplateId
    ? {
        template: {
          id: content.template.providerTemplateId,
          name: content.template.name,
          language: content.template.language,
          variables: content.variables,
          components: content.template.components,
        },
      }
    : Prisma.DbNull

function checkedSendAt(sendAt: Date | null | undefined, now: Date): Date | null {
  if (sendAt === null || sendAt === undefined) return null
  const ahead = sendAt.getTime() - now.getTime()
  if (ahead > 0 && ahead <= MAX_AHEAD_DAYS * 86_400_000) return sendAt
  throw new ValidationError(`sendAt must be in the future, at most ${MAX_AHEAD_DAYS} days ahead.`, ['input', 'sendAt'])
}

async function compose(
  tx: Tx,
  actor: Actor,
  customerId: string,
  recipient: Recipient,
  content: SendMessageInput['content'],
): Promise<Content> {
  if (content.template) return fromTemplate(tx, actor, customerId, recipient, content.template)
  const path = ['input', 'content', 'text']
  return { body: requiredText(content.text ?? '', path, MAX_TEXT), subject: null, template: null, variables: {}, path }
}

async function fromTemplate(
  tx: Tx,
  actor: Actor,
  customerId: string,
  { account }: Recipient,
  chosen: { templateId: string; variables?: unknown },
): Promise<Content> {
  const path = ['input', 'content', 'template']
  const template = await tx.template.findFirst({ where: { id: chosen.templateId, organizationId: actor.organizationId } })
  if (template === null) throw new NotFoundError('template', [...path, 'templateId'])
  if (template.channel !== null && template.channel !== account.channel) {
    throw new ValidationError(`The template is for ${template.channel}, the message goes by ${account.channel}.`, [...path, 'templateId'])
  }
  const customer = await tx.customer.findUniqueOrThrow({ where: { id: customerId } })
  const values = await templateValues(tx, actor, customer, chosen.variables, [...path, 'variables'])
  const rendered = renderTemplate(template, values)
  if (rendered.missingVariables.length > 0) {
    throw new ValidationError(`The template needs values for: ${rendered.missingVariables.join(', ')}.`, [...path, 'variables'])
  }
  return { body: rendered.body, subject: rendered.subject, template, variables: rendered.variables, path }
}

async function checkPolicies(tx: Tx, recipient: Recipient, customerId: string, content: Content, at: Date): Promise<void> {
  const { adapter, account } = recipient
  if (await hasOptedOut(tx, customerId, account.channel, 'TRANSACTIONAL')) throw new RecipientOptedOutError()
  const template = content.template === null ? null : { approved: content.template.providerTemplateId !== null }
  const conversation = await tx.conversation.findUnique({
    where: { customerId_channelAccountId: { customerId, channelAccountId: account.id } },
  })
  checkWindow(adapter.capabilities, conversation?.windowExpiresAt ?? null, at, template)
  checkLength(adapter.capabilities, content.body, content.path)
}

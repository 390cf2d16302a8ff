import { type Communication, Prisma } from '../db/generated/client.ts'
import type { Recorder, Tx } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import type { Composed } from './compose-message.ts'
import { addOutbound, ensureConversation } from './conversations.ts'
import { columnsOf, keepParts } from './draft-message.ts'
import { newId, timeOfId } from './ids.ts'
import type { Recipient } from './resolve-recipient.ts'
import { enqueueDeliveries } from './schedule.ts'
import { snakeCase } from './sql.ts'

/** A message that the policy allows. */
export type Allowed = {
  actor: Actor
  recipient: Recipient
  customerId: string
  /** null: the customer has no conversation on that account yet. */
  conversationId: string | null
  composed: Composed
  sendAt: Date | null
  key: string | null
  hash: string
  automationRunId?: string
}

/** `attachments`: none, where that is known. */
export type Written = Communication & { attachments?: [] }

/** Writes messages of one organization with their jobs, each kind of row in one statement. Their customers must be locked. */
export async function storeMessages(tx: Tx, recorder: Recorder, messages: readonly Allowed[]): Promise<Written[]> {
  if (messages.length === 0) return []
  const rows: Row[] = []
  for (const message of messages) rows.push(rowOf(message, message.conversationId ?? (await newConversation(tx, recorder, message))))
  const communications = await insertCommunications(tx, rows)
  for (const [index, { recipient, composed }] of messages.entries()) {
    await keepParts(tx, communications[index] as Communication, recipient, composed)
  }
  await addOutbound(tx, rows)
  await enqueueDeliveries(tx, communications)
  for (const [index, { composed }] of messages.entries()) tell(recorder, rows[index] as Row, composed)
  return communications.map((row, index) => (messages[index]?.composed.files.length === 0 ? { ...row, attachments: [] } : row))
}

type Row = ReturnType<typeof rowOf>

/** What a message has before anything has become of it. */
const untouched = {
  carriedBy: null,
  editedAt: null,
  revokedAt: null,
  isRead: true,
  failureCode: null,
  failureMessage: null,
  failureIsFinal: false,
  externalMessageId: null,
  attempts: 0,
  attemptStartedAt: null,
  sentAt: null,
  deliveredAt: null,
  readAt: null,
  callOutcome: null,
  callStartedAt: null,
  callSeconds: null,
} satisfies Partial<Communication>

const jsonOf = (value: Row['content']): Prisma.JsonValue => (value === Prisma.DbNull ? null : (value as Prisma.JsonValue))

/** One statement for any number of rows, which Prisma would compile anew for each number. */
async function insertCommunications(tx: Tx, rows: readonly Row[]): Promise<Communication[]> {
  const communications = rows.map(
    ({ content, payload, ...row }): Communication => ({ ...untouched, ...row, content: jsonOf(content), payload: jsonOf(payload) }),
  )
  const records = communications.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [snakeCase(name), value])))
  await tx.$executeRaw`INSERT INTO communication SELECT * FROM jsonb_populate_recordset(NULL::communication, ${JSON.stringify(records)}::jsonb)`
  return communications
}

function rowOf(message: Allowed, conversationId: string) {
  const { actor, recipient, customerId, composed, sendAt, key, hash } = message
  const { account, address } = recipient
  const id = newId()
  return {
    id,
    organizationId: actor.organizationId,
    customerId,
    conversationId,
    channelAccountId: account.id,
    type: account.channel,
    direction: 'OUTBOUND' as const,
    ...columnsOf(composed),
    authorId: actor.memberId,
    automationRunId: message.automationRunId ?? null,
    deliveryStatus: sendAt === null ? ('PENDING' as const) : ('SCHEDULED' as const),
    address,
    idempotencyKey: key,
    idempotencyHash: key === null ? null : hash,
    sendAt,
    createdAt: timeOfId(id),
  }
}

const newConversation = async (tx: Tx, recorder: Recorder, { recipient, customerId, actor }: Allowed): Promise<string> =>
  (await ensureConversation(tx, recorder, recipient, customerId, actor.memberId)).id

function tell(recorder: Recorder, { id, customerId, conversationId, authorId }: Row, { reactsTo }: Composed): void {
  const about = { actorId: authorId, customerId, conversationId }
  recorder.event({ type: 'COMMUNICATION_CREATED', ...about, communicationId: id })
  if (reactsTo !== null)
    recorder.event({ type: 'COMMUNICATION_CHANGED', ...about, communicationId: reactsTo, data: { change: 'reaction' } })
}

import type { Communication } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import type { Actor } from './actor.ts'
import { compose, type MessageInput } from './compose-message.ts'
import { UserError } from './errors.ts'
import { checkedKey, inputHash, madeBefore, madeFor } from './idempotency.ts'
import { joinBatch } from './join-batch.ts'
import type { RecipientInput } from './resolve-recipient.ts'
import { type Compose, type Send, sendTogether } from './send-together.ts'
import { isUniqueViolation } from './unique-violation.ts'

export type SendMessageInput = RecipientInput &
  MessageInput & {
    /** When to send; absent: now. */
    sendAt?: Date | null
    idempotencyKey?: string | null
  }

type SendDeps = Pick<Deps, 'db' | 'pool' | 'bus' | 'channels' | 'clock'>

/**
 * Writes the communication, its event and its job in one transaction; the worker calls the provider. The same `idempotencyKey` with the
 * same input gives the same communication. Throws UserErrors; a refused message leaves nothing behind.
 */
export const sendMessage = (deps: SendDeps, actor: Actor, input: SendMessageInput): Promise<Communication> =>
  sendComposed(deps, actor, input, (tx, customerId, recipient) => compose(tx, actor, customerId, recipient, input))

/**
 * As `sendMessage`, for a message of any other make. `way`: where it goes, if the input does not say it. Messages of one organization queue
 * for its log: those that wait share one transaction and one commit.
 */
export async function sendComposed(
  deps: SendDeps,
  actor: Actor,
  input: RecipientInput & Pick<SendMessageInput, 'sendAt' | 'idempotencyKey'>,
  composeIt: Compose,
  way: RecipientInput = input,
): Promise<Communication> {
  const key = checkedKey(input.idempotencyKey)
  const hash = inputHash({ ...input, idempotencyKey: null })
  const { organizationId } = actor
  const send: Send = { actor, way, askedAt: deps.clock(), sendAt: input.sendAt, key, hash, compose: composeIt }
  try {
    const run = (sends: Send[]) => sendTogether(deps, organizationId, sends)
    const together = await joinBatch(deps.pool, `send:${organizationId}`, send, run)
    const [sent = together] = together === 'alone' ? await run([send]) : []
    if (sent === 'alone') throw new Error('a message that was alone was not sent')
    if (sent instanceof UserError) throw sent
    return sent
  } catch (error) {
    // Concurrent calls with one key: the unique index lets one through, the others find what it made.
    const winner = key === null || !isUniqueViolation(error) ? null : madeFor(await madeBefore(deps.db, organizationId, [key]), key, hash)
    if (winner === null) throw error
    return winner
  }
}

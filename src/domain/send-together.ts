import type { Communication } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { type Recorder, type Tx, transact } from '../events/transact.ts'
import type { Actor } from './actor.ts'
import { type Composed, messageOf } from './compose-message.ts'
import { ensureCustomer, lockCustomers } from './customers.ts'
import { UserError } from './errors.ts'
import { madeBefore, madeFor } from './idempotency.ts'
import { checkMessage } from './policies.ts'
import { lookupsIn } from './recipient-lookups.ts'
import { type Recipient, type RecipientInput, resolveRecipient } from './resolve-recipient.ts'
import { checkedSendAt } from './schedule.ts'
import { relationsOf } from './standing.ts'
import { storeMessages } from './store-messages.ts'

/** Writes the message, before any channel's rules. */
export type Compose = (tx: Tx, customerId: string, recipient: Recipient) => Promise<Composed>

/** One message as it was asked for. */
export type Send = {
  actor: Actor
  way: RecipientInput
  askedAt: Date
  sendAt: Date | null | undefined
  key: string | null
  hash: string
  compose: Compose
}

/** `alone`: nothing of the message was written; it needs a transaction of its own. */
export type Sent = Communication | UserError | 'alone'

type Resolved = { send: Send; sendAt: Date | null; recipient: Recipient }

/**
 * Messages of one organization in one transaction, with as many statements as one of them needs; gives what became of each. A refused one
 * leaves nothing behind. One that may make a customer or takes files needs a transaction of its own: a single one throws its UserError, so
 * that what it made or took is undone.
 */
export function sendTogether(
  deps: Pick<Deps, 'db' | 'bus' | 'channels' | 'clock'>,
  organizationId: string,
  sends: readonly Send[],
): Promise<Sent[]> {
  const single = sends.length === 1
  return transact(deps, organizationId, async (tx, recorder) => {
    const settled = new Map<Send, Sent>()
    /** What `work` makes of each; who is refused is settled, and left out. */
    const each = async <Item extends { send: Send }, Made>(
      items: readonly Item[],
      work: (item: Item) => Made | Promise<Made>,
    ): Promise<Made[]> => {
      const attempt = async (item: Item): Promise<Made[]> => {
        try {
          return [await work(item)]
        } catch (error) {
          if (single || !(error instanceof UserError)) throw error
          settled.set(item.send, error)
          return []
        }
      }
      return (await Promise.all(items.map(attempt))).flat()
    }

    const before = await madeBefore(
      tx,
      organizationId,
      sends.flatMap(({ key }) => key ?? []),
    )
    await each(
      sends.map((send) => ({ send })),
      ({ send }) => {
        const made = madeFor(before, send.key, send.hash)
        if (made !== null) settled.set(send, made)
      },
    )
    const lookups = lookupsIn(tx, organizationId)
    const resolved = await each(
      sends.filter((send) => !settled.has(send)).map((send) => ({ send })),
      async ({ send }): Promise<Resolved> => {
        const sendAt = checkedSendAt(send.sendAt, send.askedAt)
        return { send, sendAt, recipient: await resolveRecipient(deps, lookups, send.way) }
      },
    )
    const addressed = await (single ? lockOne : lockKnown)(tx, recorder, organizationId, resolved)
    const composed = await each(addressed, async (item) => ({
      ...item,
      composed: await item.send.compose(tx, item.customerId, item.recipient),
    }))
    const ready = single ? composed : composed.filter((item) => item.composed.files.length === 0)
    const relations = await relationsOf(
      tx,
      ready.map(({ recipient, customerId }) => ({ ...recipient, customerId })),
    )
    const allowed = await each(
      ready.map((item, index) => ({ ...item, relation: relations[index] })),
      ({ relation, ...item }) => {
        const { send, composed, sendAt } = item
        const message = messageOf(composed, send.actor.memberId !== null && sendAt === null)
        if (relation === undefined) throw new Error('a message without a relation')
        checkMessage(relation.standing(composed.purpose), message, sendAt ?? deps.clock())
        return { ...send, ...item, conversationId: relation.conversationId }
      },
    )
    const written = await storeMessages(tx, recorder, allowed)
    for (const [index, { send }] of allowed.entries()) settled.set(send, written[index] as Communication)
    return sends.map((send) => settled.get(send) ?? 'alone')
  })
}

type Addressed = Resolved & { customerId: string }

/** Those whose customers are there; who has been merged since is found again by the next transaction. */
async function lockKnown(tx: Tx, _recorder: Recorder, organizationId: string, resolved: readonly Resolved[]): Promise<Addressed[]> {
  const known = resolved.flatMap((item) => (item.recipient.customerId === null ? [] : [{ ...item, customerId: item.recipient.customerId }]))
  const locked = new Set(
    await lockCustomers(
      tx,
      organizationId,
      known.map(({ customerId }) => customerId),
    ),
  )
  return known.filter(({ customerId }) => locked.has(customerId))
}

/** The customer is made where nobody has the address; who was merged meanwhile is the survivor. */
async function lockOne(tx: Tx, recorder: Recorder, organizationId: string, resolved: readonly Resolved[]): Promise<Addressed[]> {
  const addressed: Addressed[] = []
  for (const item of resolved) {
    const { adapter, account, address, customerId: known } = item.recipient
    const identity = adapter.identify(address, account.address)
    const customerId = known ?? (await ensureCustomer(tx, recorder, organizationId, identity, item.send.actor.memberId))
    const [survivor = customerId] = known === null ? [] : await lockCustomers(tx, organizationId, [known])
    addressed.push({ ...item, customerId: survivor })
  }
  return addressed
}

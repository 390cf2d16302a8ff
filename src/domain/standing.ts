import type { AnyChannelAdapter } from '../channels/channel.ts'
import type { ChannelAccount, Conversation } from '../db/generated/client.ts'
import type { MessagePurpose } from '../db/generated/enums.ts'
import type { Tx } from '../events/transact.ts'
import type { Standing } from './policies.ts'

/** A customer, and the account that a message would go by. */
export type Sides = {
  account: Pick<ChannelAccount, 'id' | 'channel' | 'status'>
  adapter: Pick<AnyChannelAdapter, 'capabilities'>
  customerId: string
}

/** How the two stand to each other; `conversationId` null: they have no conversation yet. */
export type Relation = { conversationId: string | null; standing(purpose: MessagePurpose): Standing }

type Row = {
  id: string | null
  optedOut: MessagePurpose[]
} & Pick<Conversation, 'windowExpiresAt' | 'windowReason' | 'lastInboundAt'>

/** What the policy has to know of messages that have an address, in the order of `sides`; in one statement. See `permission`. */
export async function relationsOf(tx: Tx, sides: readonly Sides[]): Promise<Relation[]> {
  const rows = await rowsOf(tx, sides)
  return sides.map((side, index) => relation(side, rows[index]))
}

export async function standingOf(tx: Tx, side: Sides, purpose: MessagePurpose): Promise<Standing> {
  const [row] = await rowsOf(tx, [side])
  return relation(side, row).standing(purpose)
}

const rowsOf = (tx: Tx, sides: readonly Sides[]): Promise<Row[]> =>
  tx.$queryRaw<Row[]>`
    SELECT c.id, c.window_expires_at AS "windowExpiresAt", c.window_reason AS "windowReason", c.last_inbound_at AS "lastInboundAt",
      ARRAY(SELECT purpose::text FROM (
        SELECT DISTINCT ON (purpose) purpose, state FROM consent_entry
        WHERE customer_id = side.customer AND channel = side.channel::"ChannelType" ORDER BY purpose, occurred_at DESC, id DESC
      ) AS latest WHERE state = 'OPTED_OUT') AS "optedOut"
    FROM unnest(${sides.map(({ customerId }) => customerId)}::uuid[], ${sides.map(({ account }) => account.id)}::uuid[],
      ${sides.map(({ account }) => account.channel)}::text[]) WITH ORDINALITY AS side(customer, account, channel, ord)
    LEFT JOIN conversation c ON c.customer_id = side.customer AND c.channel_account_id = side.account
    ORDER BY side.ord`

function relation({ account, adapter }: Sides, row: Row | undefined): Relation {
  const optedOut = row?.optedOut ?? []
  return {
    conversationId: row?.id ?? null,
    standing: (purpose) => ({
      capabilities: adapter.capabilities,
      accountActive: account.status === 'ACTIVE',
      hasAddress: true,
      // Who wants no messages at all wants no advertisements either.
      hasOptedOut: optedOut.includes('TRANSACTIONAL') || optedOut.includes(purpose),
      window: row === undefined || row.id === null ? null : row,
    }),
  }
}

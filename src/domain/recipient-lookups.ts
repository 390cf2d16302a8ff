import DataLoader from 'dataloader'
import type { Identity } from '../channels/fact.ts'
import type { ChannelAccount, Conversation, Customer, CustomerIdentity } from '../db/generated/client.ts'
import type { Tx } from '../events/transact.ts'

type KnownConversation = Pick<Conversation, 'id' | 'customerId' | 'channelAccountId' | 'address' | 'mergedIntoId'>

type KnownCustomer = Pick<Customer, 'mergedIntoId'> & {
  identities: CustomerIdentity[]
  /** The latest first. */
  conversations: Pick<Conversation, 'id' | 'channelAccountId' | 'address'>[]
}

type Key = Pick<Identity, 'kind' | 'scope' | 'value'>

/** Whom an organization can write to, and by what; null: there is no such thing in it. */
export type Lookups = {
  accounts(): Promise<ChannelAccount[]>
  conversation(id: string): Promise<KnownConversation | null>
  customer(id: string): Promise<KnownCustomer | null>
  /** Who has the identity. */
  holder(identity: Key): Promise<{ customerId: string; conversations: { id: string; channelAccountId: string }[] } | null>
}

/** Messages that are written together look things up together: one statement a kind, whatever their number. Remembers what it has read. */
export function lookupsIn(tx: Tx, organizationId: string): Lookups {
  let accounts: Promise<ChannelAccount[]> | undefined
  const conversations = new DataLoader(async (ids: readonly string[]) => {
    const rows = await tx.$queryRaw<KnownConversation[]>`
      SELECT id, customer_id AS "customerId", channel_account_id AS "channelAccountId", address, merged_into_id AS "mergedIntoId"
      FROM conversation WHERE id = ANY(${[...ids]}::uuid[]) AND organization_id = ${organizationId}::uuid`
    return ids.map((id) => rows.find((row) => row.id === id) ?? null)
  })
  const customers = new DataLoader(async (ids: readonly string[]) => {
    const rows = await tx.customer.findMany({
      where: { id: { in: [...ids] }, organizationId },
      include: { identities: { orderBy: { id: 'asc' } }, conversations: { orderBy: { lastActivityAt: 'desc' } } },
    })
    return ids.map((id) => rows.find((row) => row.id === id) ?? null)
  })
  const holders = new DataLoader(
    async (keys: readonly Key[]) => {
      const rows = await tx.customerIdentity.findMany({
        where: { organizationId, OR: keys.map(({ kind, scope, value }) => ({ kind, scope, value })) },
        include: { customer: { select: { conversations: { select: { id: true, channelAccountId: true } } } } },
      })
      return keys.map((key) => {
        const row = rows.find((one) => cacheKey(one) === cacheKey(key))
        return row === undefined ? null : { customerId: row.customerId, ...row.customer }
      })
    },
    { cacheKeyFn: cacheKey },
  )
  return {
    accounts: () => {
      accounts ??= tx.channelAccount.findMany({ where: { organizationId }, orderBy: { id: 'asc' } })
      return accounts
    },
    conversation: (id) => conversations.load(id),
    customer: (id) => customers.load(id),
    holder: (identity) => holders.load(identity),
  }
}

const cacheKey = ({ kind, scope, value }: Key): string => JSON.stringify([kind, scope, value])

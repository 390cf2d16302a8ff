import { Rejected, Unavailable } from '../channels/failures.ts'
import type { ChannelAccount } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import type { Tx } from '../events/transact.ts'
import { enqueue } from '../jobs/enqueue.ts'
import { credentialsOf } from './channel-credentials.ts'

/** What was marked in one conversation: its newest message that the provider knows. */
type Marked = { conversation_id: string | null; channel_account_id: string | null; newest_id: string | null }

/** In the transaction that marks: tells the provider of each conversation's newest, which is its word for all before, where it cares. */
export async function announceRead(deps: Pick<Deps, 'channels'>, tx: Tx, marked: readonly Marked[]): Promise<void> {
  const accountIds = marked.flatMap((row) => row.channel_account_id ?? [])
  if (accountIds.length === 0) return
  const accounts = await tx.channelAccount.findMany({ where: { id: { in: accountIds }, status: 'ACTIVE' } })
  const cares = ({ provider, channel }: ChannelAccount): boolean => deps.channels.find(provider, channel)?.markRead !== undefined
  const caring = new Set(accounts.filter(cares).map(({ id }) => id))
  for (const { conversation_id, channel_account_id, newest_id } of marked) {
    if (newest_id === null || channel_account_id === null || !caring.has(channel_account_id)) continue
    await enqueue(tx, 'mark-read-at-provider', { communicationId: newest_id }, { queue: `read:${conversation_id}`, maxAttempts: 3 })
  }
}

/** Tells the provider that staff has read the message and those before it. It is a courtesy: what fails is logged and nothing more. */
export async function markReadAtProvider(deps: Deps, communicationId: string): Promise<void> {
  const communication = await deps.db.communication.findUnique({ where: { id: communicationId } })
  if (communication === null || communication.channelAccountId === null || communication.externalMessageId === null) return
  const account = await deps.db.channelAccount.findUniqueOrThrow({ where: { id: communication.channelAccountId } })
  const adapter = deps.channels.get(account.provider, account.channel)
  if (adapter.markRead === undefined || account.status !== 'ACTIVE') return
  try {
    await adapter.markRead(communication.externalMessageId, credentialsOf(deps, adapter, account))
  } catch (error) {
    if (!(error instanceof Rejected) && !(error instanceof Unavailable)) throw error
    deps.log.warn({ communicationId, reason: error.message }, 'the provider was not told that a message was read')
  }
}

import type { DeliveryStatus } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import type { Visitor } from '../visitor-tokens.ts'
import { NotFoundError } from './errors.ts'
import { recordReceipts } from './record-receipt.ts'
import { threadOf, visibleTo } from './webchat-thread.ts'

/** The visitor has read all that staff wrote, up to this message. Throws NotFoundError where it is none of their messages. */
export async function markWebchatRead(deps: Pick<Deps, 'db' | 'bus'>, visitor: Visitor, messageId: string): Promise<void> {
  const thread = await threadOf(deps, visitor)
  const visible = thread === null ? null : visibleTo(visitor, thread.conversationId)
  const last = visible === null ? null : await deps.db.communication.findFirst({ where: { AND: [visible, { id: messageId }] } })
  if (visible === null || last === null) throw new NotFoundError('message', ['input', 'messageId'])
  const unread = { direction: 'OUTBOUND', deliveryStatus: { not: 'READ' }, id: { lte: messageId } } as const
  const rows = await deps.db.communication.findMany({ where: { AND: [visible, unread] }, select: { id: true }, orderBy: { id: 'asc' } })
  const ids = rows.map((row) => row.id)
  await recordProgress(deps, visitor, ids, 'READ')
}

/** Our own receipts: what a provider would report, we know ourselves. */
export async function recordProgress(
  deps: Pick<Deps, 'db' | 'bus'>,
  visitor: Visitor,
  communicationIds: readonly string[],
  status: Extract<DeliveryStatus, 'DELIVERED' | 'READ'>,
): Promise<void> {
  if (communicationIds.length === 0) return
  const account = { id: visitor.channelAccountId, organizationId: visitor.organizationId }
  const facts = communicationIds.map((id) => ({
    kind: 'receipt' as const,
    externalMessageId: id,
    communicationId: id,
    status,
    error: null,
  }))
  for (const done of await recordReceipts(deps, account, null, facts)) if ('error' in done) throw done.error
}

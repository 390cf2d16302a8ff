import type { Communication, Prisma } from '../db/generated/client.ts'
import type { ConversationStatus, DeliveryStatus } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import type { Visitor } from '../visitor-tokens.ts'
import { cursorArgument, decodeKeys, type Page, type PageResult, pageOf } from './page.ts'
import { UUID_FORM } from './sql.ts'

export type Thread = { conversationId: string; status: ConversationStatus }

/** What has left us; UNKNOWN too, because here it needs no provider: it is there to be read. */
const LEFT = ['SENT', 'UNKNOWN', 'DELIVERED', 'READ'] as const satisfies DeliveryStatus[]

/** The visitor's conversation; null before the first message. */
export async function threadOf(deps: Pick<Deps, 'db'>, visitor: Visitor): Promise<Thread | null> {
  const { id, organizationId, channelAccountId, externalId } = visitor
  const [thread] = await deps.db.$queryRaw<Thread[]>`
    SELECT t.id AS "conversationId", t.status
    FROM channel_account a JOIN customer_identity i ON i.organization_id = a.organization_id
      AND (i.kind = 'WEBCHAT' AND i.scope = a.address AND i.value = ${id} OR i.kind = 'EXTERNAL' AND i.scope = '' AND i.value = ${externalId})
    JOIN conversation t ON t.customer_id = i.customer_id AND t.channel_account_id = a.id AND t.merged_into_id IS NULL
    WHERE a.id = ${channelAccountId}::uuid AND a.organization_id = ${organizationId}::uuid
    ORDER BY i.kind = 'WEBCHAT' DESC LIMIT 1`
  return thread ?? null
}

/**
 * What the visitor may see of a conversation that is theirs: what customers and staff wrote to each other, no notes, nothing that has not left
 * yet. Who is vouched for sees all of it. An anonymous visitor sees what they wrote themselves and what was sent to them: staff may have
 * merged them with a customer of whom they are to learn nothing.
 */
export function visibleTo(visitor: Visitor, conversationId: string): Prisma.CommunicationWhereInput {
  const anonymous = visitor.externalId === null
  const { organizationId } = visitor
  return {
    organizationId,
    conversationId,
    type: 'WEBCHAT',
    OR: [
      { direction: 'INBOUND', ...(anonymous ? { externalMessageId: { startsWith: externalIdOf(visitor, '') } } : {}) },
      { direction: 'OUTBOUND', deliveryStatus: { in: [...LEFT] }, ...(anonymous ? { address: visitor.id } : {}) },
    ],
  }
}

/** Under which a visitor's message is stored: the visitor's own id for it cannot collide with another's. */
export const externalIdOf = (visitor: Visitor, clientMessageId: string): string => `${visitor.id}:${clientMessageId}`

/** One page of the thread, oldest first. Throws ValidationError where the cursor is none. */
export async function listMessages(deps: Pick<Deps, 'db'>, visitor: Visitor, page: Page): Promise<PageResult<Communication>> {
  const thread = await threadOf(deps, visitor)
  const [bound] = page.cursor === null ? [] : decodeKeys('communications', page.cursor, [UUID_FORM], cursorArgument(page))
  if (thread === null) return pageOf<Communication>([], page)
  const place = bound === undefined ? {} : { id: page.backwards ? { lt: bound } : { gt: bound } }
  const scanned = await deps.db.communication.findMany({
    where: { AND: [visibleTo(visitor, thread.conversationId), place] },
    orderBy: { id: page.backwards ? 'desc' : 'asc' },
    take: page.limit + 1,
  })
  return pageOf(scanned, page)
}

/** How many messages of the staff the visitor has not read. */
export async function countUnread(deps: Pick<Deps, 'db'>, visitor: Visitor): Promise<number> {
  const thread = await threadOf(deps, visitor)
  if (thread === null) return 0
  const unread = { direction: 'OUTBOUND', deliveryStatus: { not: 'READ' } } as const
  return deps.db.communication.count({ where: { AND: [visibleTo(visitor, thread.conversationId), unread] } })
}

import { Prisma } from '../../src/db/generated/client.ts'
import type { Deps } from '../../src/deps.ts'
import { globalIdSql, isoTime, object, objectOrNull, raw } from './sql.ts'

/**
 * The fragment ConversationRow as columns, from the alias `c`, which has conversation's columns. `windowed`: accounts on which
 * free text is allowed for some time only.
 */
export function conversationRow(deps: Pick<Deps, 'channels' | 'clock'>): Prisma.Sql {
  const windowed = deps.channels.all
    .filter(({ capabilities }) => capabilities.messagingWindowHours !== null)
    .map(({ provider, channel }) => `${provider}.${channel}`)
  return Prisma.sql`
    ${raw(globalIdSql('Conversation', 'c.id'))} AS id, c.channel, c.status, c.unread_count AS "unreadCount",
    ${raw(isoTime('c.last_activity_at'))} AS "lastActivityAt",
    (SELECT row_to_json(o) FROM (SELECT
      CASE WHEN w.windowed THEN coalesce(c.window_expires_at > ${deps.clock()}::timestamptz, false) ELSE true END AS "isOpen",
      CASE WHEN w.windowed THEN ${raw(isoTime('c.window_expires_at'))} END AS "expiresAt"
      FROM (SELECT (a.provider || '.' || a.channel) = ANY(${windowed}::text[]) AS windowed) AS w) AS o) AS "messagingWindow",
    ${raw(object({ id: globalIdSql('Customer', 'u.id'), name: 'u.name' }))} AS customer,
    ${raw(object({ id: globalIdSql('ChannelAccount', 'a.id'), name: 'a.name', address: 'a.address' }))} AS "channelAccount",
    ${raw(objectOrNull('m.id', { id: globalIdSql('Member', 'm.id'), name: 'm.name' }))} AS assignee,
    ${raw(
      objectOrNull('l.id', {
        id: globalIdSql('Communication', 'l.id'),
        type: 'l.type',
        direction: 'l.direction',
        body: 'l.body',
        deliveryStatus: 'l.delivery_status',
        createdAt: isoTime('l.created_at'),
      }),
    )} AS "lastCommunication"`
}

/** The joins that `conversationRow` needs: each finds one row by its key. */
export const conversationJoins = raw(`
  JOIN customer u ON u.id = c.customer_id
  JOIN channel_account a ON a.id = c.channel_account_id
  LEFT JOIN member m ON m.id = c.assignee_id
  LEFT JOIN communication l ON l.id = c.last_communication_id`)

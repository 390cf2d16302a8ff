import { Prisma, type WebhookReceipt } from '../db/generated/client.ts'
import type { WebhookReceiptStatus } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { firstIdAt } from './ids.ts'
import { type List, type ListQuery, listQuery } from './list-query.ts'
import type { Page } from './page.ts'

export type WebhookReceiptFilter = {
  statuses?: WebhookReceiptStatus[] | null
  channelAccountId?: string | null
  since?: Date | null
  until?: Date | null
}

/** All but the bytes, which can be many. */
export type ListedReceipt = Omit<WebhookReceipt, 'body'>

const list: List = { name: 'webhookReceipts', table: 'webhook_receipt', time: null, latestFirst: true }

/** An id is made when a request comes, its row is written later, and the clocks of two machines differ: never by so much. */
const SLACK_MS = 3_600_000

/** What came in, newest first. Throws ValidationError. */
export function webhookReceiptList(organizationId: string, filter: WebhookReceiptFilter, page: Page): ListQuery {
  const filtered = filterConditions(filter)
  return listQuery(list, page, [Prisma.sql`item.organization_id = ${organizationId}::uuid`, ...filtered], filtered.length > 0)
}

function filterConditions({ statuses, channelAccountId, since, until }: WebhookReceiptFilter): Prisma.Sql[] {
  return [
    ...(statuses ? [Prisma.sql`item.status = ANY(${statuses}::"WebhookReceiptStatus"[])`] : []),
    // In these words it is the condition of an index: what needs a look is rare.
    ...(statuses && !statuses.includes('APPLIED') ? [Prisma.sql`item.status <> 'APPLIED'`] : []),
    ...(channelAccountId ? [Prisma.sql`item.channel_account_id = ${channelAccountId}::uuid`] : []),
    ...(since
      ? [Prisma.sql`item.received_at >= ${since}::timestamptz AND item.id >= ${firstIdAt(new Date(since.getTime() - SLACK_MS))}::uuid`]
      : []),
    ...(until
      ? [Prisma.sql`item.received_at < ${until}::timestamptz AND item.id < ${firstIdAt(new Date(until.getTime() + SLACK_MS))}::uuid`]
      : []),
  ]
}

/** The body as text; null where it is no UTF-8 or longer than 64 kB. */
export async function receiptText(
  deps: Pick<Deps, 'db'>,
  organizationId: string,
  ids: readonly string[],
): Promise<Map<string, string | null>> {
  const rows = await deps.db.webhookReceipt.findMany({ where: { id: { in: [...ids] }, organizationId, size: { lte: MAX_SHOWN } } })
  return new Map(rows.map(({ id, body }) => [id, body === null ? null : textOf(body)]))
}

const MAX_SHOWN = 64_000

function textOf(body: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}

import { Prisma, type WebhookReceipt } from '../db/generated/client.ts'
import type { WebhookReceiptStatus } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { firstIdAt } from './ids.ts'
import { listRows } from './list-query.ts'
import { cursorArgument, decodeKeys, encodeKeys, type Page, type PageResult, pageOf } from './page.ts'
import { UUID_FORM } from './sql.ts'

export type WebhookReceiptFilter = {
  statuses?: WebhookReceiptStatus[] | null
  channelAccountId?: string | null
  since?: Date | null
  until?: Date | null
}

/** All but the bytes, which can be many. */
export type ListedReceipt = Omit<WebhookReceipt, 'body'>

export const webhookReceiptCursor = (row: { id: string }): string => encodeKeys('webhookReceipts', [row.id])

/** An id is made when a request comes, its row is written later, and the clocks of two machines differ: never by so much. */
const SLACK_MS = 3_600_000

/** What came in, newest first. */
export async function listWebhookReceipts(
  deps: Pick<Deps, 'db' | 'pool'>,
  organizationId: string,
  filter: WebhookReceiptFilter,
  page: Page,
): Promise<PageResult<ListedReceipt>> {
  const order = page.backwards ? Prisma.sql`ASC` : Prisma.sql`DESC`
  const conditions = [Prisma.sql`organization_id = ${organizationId}::uuid`, place(page), ...filterConditions(filter)]
  const ids = await listRows<{ id: string }>(
    deps,
    Prisma.sql`SELECT id FROM webhook_receipt WHERE ${Prisma.join(conditions, ' AND ')} ORDER BY id ${order} LIMIT ${page.limit + 1}`,
    filter,
  )
  const rows = await deps.db.webhookReceipt.findMany({
    where: { id: { in: ids.map(({ id }) => id) } },
    omit: { body: true },
    orderBy: { id: page.backwards ? 'asc' : 'desc' },
  })
  return pageOf(rows, page)
}

function place(page: Page): Prisma.Sql {
  if (page.cursor === null) return Prisma.sql`true`
  const [id] = decodeKeys('webhookReceipts', page.cursor, [UUID_FORM], cursorArgument(page))
  return page.backwards ? Prisma.sql`id > ${id}::uuid` : Prisma.sql`id < ${id}::uuid`
}

function filterConditions({ statuses, channelAccountId, since, until }: WebhookReceiptFilter): Prisma.Sql[] {
  return [
    ...(statuses ? [Prisma.sql`status = ANY(${statuses}::"WebhookReceiptStatus"[])`] : []),
    // In these words it is the condition of an index: what needs a look is rare.
    ...(statuses && !statuses.includes('APPLIED') ? [Prisma.sql`status <> 'APPLIED'`] : []),
    ...(channelAccountId ? [Prisma.sql`channel_account_id = ${channelAccountId}::uuid`] : []),
    ...(since ? [Prisma.sql`received_at >= ${since}::timestamptz AND id >= ${firstIdAt(new Date(since.getTime() - SLACK_MS))}::uuid`] : []),
    ...(until ? [Prisma.sql`received_at < ${until}::timestamptz AND id < ${firstIdAt(new Date(until.getTime() + SLACK_MS))}::uuid`] : []),
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

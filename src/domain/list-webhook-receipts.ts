import type { WebhookReceipt } from '../db/generated/client.ts'
import type { WebhookReceiptStatus } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
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

/** What came in, newest first. */
export async function listWebhookReceipts(
  deps: Pick<Deps, 'db'>,
  organizationId: string,
  filter: WebhookReceiptFilter,
  page: Page,
): Promise<PageResult<ListedReceipt>> {
  const [cursor] = page.cursor === null ? [] : decodeKeys('webhookReceipts', page.cursor, [UUID_FORM], cursorArgument(page))
  const rows = await deps.db.webhookReceipt.findMany({
    where: {
      organizationId,
      ...(filter.statuses ? { status: { in: filter.statuses } } : {}),
      ...(filter.channelAccountId ? { channelAccountId: filter.channelAccountId } : {}),
      receivedAt: { ...(filter.since ? { gte: filter.since } : {}), ...(filter.until ? { lt: filter.until } : {}) },
      ...(cursor === undefined ? {} : { id: page.backwards ? { gt: cursor } : { lt: cursor } }),
    },
    omit: { body: true },
    orderBy: { id: page.backwards ? 'asc' : 'desc' },
    take: page.limit + 1,
  })
  return pageOf(rows, page)
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

import type { Deps } from '../deps.ts'

/** A message as a provider names it: `<channel account id> <external id>`. */
export const messageKey = (channelAccountId: string, externalMessageId: string): string => `${channelAccountId} ${externalMessageId}`

const partsOf = (key: string): [string, string] => {
  const space = key.indexOf(' ')
  return [key.slice(0, space), key.slice(space + 1)]
}

const columnsOf = (keys: readonly string[]): [string[], string[]] => [
  keys.map((key) => partsOf(key)[0]),
  keys.map((key) => partsOf(key)[1]),
]

/** The ids of the organization's messages by their keys, in one statement; null where there is none. */
export async function messagesByKey(
  deps: Pick<Deps, 'db'>,
  organizationId: string,
  keys: readonly string[],
): Promise<Map<string, { id: string | null }>> {
  const [accounts, externalIds] = columnsOf(keys)
  const rows = await deps.db.$queryRaw<{ id: string; account: string; external: string }[]>`
    SELECT m.id, m.channel_account_id AS account, m.external_message_id AS external
    FROM unnest(${accounts}::uuid[], ${externalIds}::text[]) AS k(account, external)
    JOIN communication m ON m.channel_account_id = k.account AND m.external_message_id = k.external
    WHERE m.organization_id = ${organizationId}::uuid`
  const found = new Map(rows.map((row) => [messageKey(row.account, row.external), row.id]))
  return new Map(keys.map((key) => [key, { id: found.get(key) ?? null }]))
}

export type Reaction = {
  emoji: string
  /** Of ours: who on the staff; null: an API key, or the customer. */
  authorId: string | null
  /** null: it is ours. */
  customerId: string | null
  createdAt: Date
}

/** The reactions to messages by their keys, oldest first: of each side the latest, unless it was taken back or could not be sent. One statement. */
export async function reactionsByKey(
  deps: Pick<Deps, 'db'>,
  organizationId: string,
  keys: readonly string[],
): Promise<Map<string, Reaction[]>> {
  const [accounts, externalIds] = columnsOf(keys)
  const rows = await deps.db.$queryRaw<(Omit<Reaction, 'emoji'> & { emoji: string | null; account: string; external: string })[]>`
    SELECT DISTINCT ON (k.account, k.external, m.direction, sender) k.account, k.external, m.content->>'emoji' AS emoji,
      m.author_id AS "authorId", CASE m.direction WHEN 'INBOUND' THEN m.customer_id END AS "customerId", m.created_at AS "createdAt",
      CASE m.direction WHEN 'INBOUND' THEN m.customer_id END AS sender
    FROM unnest(${accounts}::uuid[], ${externalIds}::text[]) AS k(account, external)
    JOIN communication m ON m.channel_account_id = k.account AND m.in_reply_to = k.external
    WHERE m.organization_id = ${organizationId}::uuid AND m.content->>'kind' = 'REACTION' AND m.revoked_at IS NULL
      AND (m.delivery_status IS NULL OR m.delivery_status NOT IN ('SCHEDULED', 'FAILED', 'CANCELED'))
    ORDER BY k.account, k.external, m.direction, sender, m.id DESC`
  const present = rows
    .filter((row): row is typeof row & { emoji: string } => row.emoji !== null)
    .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
  const byKey = Map.groupBy(present, (row) => messageKey(row.account, row.external))
  return new Map(keys.map((key) => [key, byKey.get(key) ?? []]))
}

export type Edit = { body: string; replacedAt: Date }

/** What communications said before they were edited, oldest first, in one statement. */
export async function editsOf(deps: Pick<Deps, 'db'>, organizationId: string, ids: readonly string[]): Promise<Map<string, Edit[]>> {
  const rows = await deps.db.communicationEdit.findMany({
    where: { organizationId, communicationId: { in: [...ids] } },
    orderBy: [{ replacedAt: 'asc' }, { id: 'asc' }],
  })
  const byCommunication = Map.groupBy(rows, (row) => row.communicationId)
  return new Map(ids.map((id) => [id, byCommunication.get(id) ?? []]))
}

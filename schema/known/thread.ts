import { signAttachmentLink } from '../../src/attachment-links.ts'
import { Prisma } from '../../src/db/generated/client.ts'
import { communicationCursor, communicationPlace } from '../../src/domain/list-communications.ts'
import { checkedPage, pageOf } from '../../src/domain/page.ts'
import { listRows } from '../../src/domain/sql.ts'
import { organizationOf, type SignedIn } from '../context.ts'
import { globalId, localId } from '../global-id.ts'
import { conversationJoins, conversationRow } from './conversation-row.ts'
import { globalIdSql, isoTime, joined, objectOrNull, raw, split } from './sql.ts'

type Variables = { id: string; last?: number | null; before?: string | null }

type Attachment = { id: string; filename: string | null; contentType: string | null; size: number | null; stored: boolean }

const separated = (expression: string) => joined(expression, 'i.id DESC')

const item = raw(`
  ${globalIdSql('Communication', 'i.id')} AS id, i.type, i.direction, i.subject, i.body, i.delivery_status AS "deliveryStatus",
  ${objectOrNull('i.failure_code', { code: 'i.failure_code', message: 'coalesce(i.failure_message, i.failure_code)' })} AS failure,
  i.external_message_id AS "externalMessageId", i.idempotency_key AS "idempotencyKey", i.is_read AS "isRead",
  ${isoTime('i.created_at')} AS "createdAt", ${isoTime('i.sent_at')} AS "sentAt", ${isoTime('i.delivered_at')} AS "deliveredAt",
  ${isoTime('i.read_at')} AS "readAt", ${objectOrNull('m.id', { id: globalIdSql('Member', 'm.id'), name: 'm.name' })} AS author`)

const attachments = raw(`
  (SELECT json_agg(json_build_object('id', f.id, 'filename', f.filename, 'contentType', f.content_type, 'size', f.size,
    'stored', f.status = 'STORED') ORDER BY f.id) FROM attachment f WHERE f.communication_id = i.id)`)

/** The answer to the operation ConversationThread, as JSON. */
export async function threadJson(context: SignedIn, variables: Variables): Promise<string | null> {
  const page = checkedPage(variables)
  const id = localId('Conversation', variables.id)
  if (id === null || !page.backwards) return null
  const organizationId = organizationOf(context)
  const [row] = await listRows<{ head: string; ids: string | null; items: string | null; files: string | null }>(
    context.deps,
    Prisma.sql`
      SELECT (SELECT row_to_json(n) FROM (SELECT ${conversationRow(context.deps)}) AS n)::text AS head, thread.*
      FROM conversation c ${conversationJoins}, LATERAL (
        SELECT ${separated('i.id::text')} AS ids, ${separated('i.node')} AS items, ${separated("coalesce(i.files::text, '')")} AS files
        FROM (
          SELECT i.id, (SELECT row_to_json(n) FROM (SELECT ${item}) AS n)::text AS node, ${attachments} AS files
          FROM (
            SELECT * FROM communication i WHERE i.conversation_id = c.id AND i.organization_id = ${organizationId}::uuid
              AND ${communicationPlace(page)} ORDER BY i.id DESC LIMIT ${page.limit + 1}
          ) AS i LEFT JOIN member m ON m.id = i.author_id
        ) AS i
      ) AS thread
      WHERE c.organization_id = ${organizationId}::uuid
        AND c.id = (SELECT coalesce(merged_into_id, id) FROM conversation WHERE id = ${id}::uuid)`,
    {},
  )
  if (row === undefined) return '{"data":{"conversation":null}}'
  const items = split(row.items)
  const files = split(row.files)
  const found = split(row.ids).map((communicationId, index) => ({
    id: communicationId,
    item: items[index] ?? '',
    files: files[index] ?? '',
  }))
  const result = pageOf(found, page)
  const edges = await Promise.all(result.rows.map((edge) => edgeJson(context, organizationId, edge)))
  const first = result.rows[0]
  const pageInfo = { hasPreviousPage: result.hasPreviousPage, startCursor: first === undefined ? null : communicationCursor(first) }
  const communications = `{"edges":[${edges.join()}],"pageInfo":${JSON.stringify(pageInfo)}}`
  return `{"data":{"conversation":${row.head.slice(0, -1)},"communications":${communications}}}}`
}

async function edgeJson(context: SignedIn, organizationId: string, edge: { id: string; item: string; files: string }): Promise<string> {
  const files = edge.files === '' ? '[]' : await attachmentsJson(context, organizationId, JSON.parse(edge.files) as Attachment[])
  return `{"cursor":"${communicationCursor(edge)}","node":${edge.item.slice(0, -1)},"attachments":${files}}}`
}

async function attachmentsJson({ deps }: SignedIn, organizationId: string, files: Attachment[]): Promise<string> {
  const shown = files.map(async ({ id, filename, contentType, size, stored }) => ({
    id: globalId('Attachment', id),
    filename,
    contentType,
    size,
    url: stored ? `${deps.config.PUBLIC_URL}${await signAttachmentLink(deps.config, id, organizationId, deps.clock)}` : null,
  }))
  return JSON.stringify(await Promise.all(shown))
}

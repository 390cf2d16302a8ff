import type pg from 'pg'
import type { Inbound } from './inbound.ts'
import { count, counts, type Verdict } from './verdict.ts'

const PAGE = 5_000

/** Each acknowledged message is one communication, and what the provider posted is kept. */
export async function judgeInbound(pool: pg.Pool, inbound: Inbound): Promise<Verdict> {
  const { rows } = await pool.query<{ id: string; organizationId: string; n: number }>(
    `SELECT external_message_id AS id, organization_id AS "organizationId", count(*)::int AS n
     FROM communication WHERE direction = 'INBOUND' GROUP BY 1, 2`,
  )
  const { kept, statuses } = await receipts(pool)
  const broken: string[] = []
  const found = new Map(rows.map((row) => [row.id, row]))
  let acknowledged = 0
  for (const [id, message] of inbound) {
    if (!message.acknowledged) continue
    acknowledged += 1
    const row = found.get(id)
    if (row === undefined) broken.push(`${id} was acknowledged, and is lost`)
    else if (row.organizationId !== message.organization.id) broken.push(`${id} is in another organization`)
    if (!kept.has(id)) broken.push(`${id} was acknowledged, and its request was not kept`)
  }
  for (const { id, n } of rows) {
    if (n > 1) broken.push(`${id} is there ${n} times`)
    if (!inbound.has(id)) broken.push(`${id} is there, and nobody sent it`)
  }
  if (rows.length !== found.size) broken.push(`${rows.length - found.size} messages are in several organizations`)
  for (const [status, n] of statuses)
    if (status !== 'APPLIED' && status !== 'DUPLICATE') broken.push(`${n} webhooks (receipts among them) are ${status}`)
  return {
    promise: 'An acknowledged webhook is stored, and its message is there once',
    numbers: [
      `messages ${count(inbound.size)}, acknowledged ${count(acknowledged)}, communications ${count(rows.length)}`,
      `requests kept, receipts among them: ${counts(statuses)}`,
    ],
    broken,
  }
}

/** The ids of messages in all the requests that were kept. */
async function receipts(pool: pg.Pool): Promise<{ kept: Set<string>; statuses: Map<string, number> }> {
  const kept = new Set<string>()
  const statuses = new Map<string, number>()
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const { rows } = await pool.query<{ id: string; status: string; body: string }>(
      `SELECT id, status, convert_from(body, 'UTF8') AS body FROM webhook_receipt WHERE id > $1 ORDER BY id LIMIT ${PAGE}`,
      [after],
    )
    for (const { status, body } of rows) {
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      for (const [id] of body.matchAll(/SM[0-9a-f]{32}|wamid\.[0-9a-f]{32}/g)) kept.add(id)
    }
    const last = rows.at(-1)
    if (last === undefined) return { kept, statuses }
    after = last.id
  }
}

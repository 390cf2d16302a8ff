import type pg from 'pg'
import type { DeliveryStatus } from '../../src/db/generated/enums.ts'
import { furthest } from '../../src/domain/delivery-status.ts'
import { percentile } from '../bench/http-load.ts'
import type { Notes } from './changes.ts'
import type { Outages } from './outages.ts'
import type { Provider, Sent } from './provider.ts'
import type { Sends } from './sends.ts'
import { count, counts, tallied, type Verdict } from './verdict.ts'

type Row = {
  id: string
  key: string | null
  organizationId: string
  status: DeliveryStatus
  attempt: Date | null
  externalId: string | null
  /** Asked for, or scheduled for. */
  due: Date
}

/** Before it is killed or cut off, a process may have waited so long for the provider's answer. */
const IN_HAND_MS = 20_000

/** Each accepted send is one communication. */
export async function judgeSends(pool: pg.Pool, sends: Sends): Promise<Verdict> {
  const rows = await outbound(pool)
  const byKey = Map.groupBy(rows, ({ key }) => key)
  const broken: string[] = []
  let accepted = 0
  for (const [key, { organization, ids, refusals }] of sends) {
    const made = byKey.get(key) ?? []
    const [id] = ids
    for (const refusal of refusals) broken.push(`${key} was refused: ${refusal}`)
    if (ids.size > 1) broken.push(`${key} was answered with ${ids.size} communications`)
    if (made.length > 1) broken.push(`${key} is ${made.length} communications`)
    if (id === undefined) continue
    accepted += 1
    if (made[0] === undefined) broken.push(`${key} was accepted, and is lost`)
    else if (globalId(made[0].id) !== id || made[0].organizationId !== organization.id) broken.push(`${key} is not what was answered`)
  }
  for (const { id, key } of rows) if (key === null || !sends.has(key)) broken.push(`${id} is there, and nobody asked for it`)
  const answers = [...sends.values()].reduce((sum, asked) => sum + asked.answers, 0)
  return {
    promise: 'An accepted send is one communication, however often it was asked for',
    numbers: [`keys ${count(sends.size)}, answers ${count(answers)}, accepted ${count(accepted)}, communications ${count(rows.length)}`],
    broken,
  }
}

/** The provider was given each communication once at most, and each ends where it belongs. */
export async function judgeDelivery(pool: pg.Pool, provider: Provider, outages: Outages): Promise<Verdict[]> {
  const rows = await outbound(pool)
  const known = new Set(rows.map(({ id }) => id))
  const twice: string[] = []
  for (const [id, { accepted }] of provider.sent) {
    if (accepted.length > 1) twice.push(`${id} was accepted ${accepted.length} times`)
    if (!known.has(id)) twice.push(`${id} was sent, and is no communication`)
  }
  const wrong: string[] = []
  const causes = new Map<string, number>()
  for (const row of rows) {
    const problem = problemOf(row, provider.sent.get(row.id), outages, causes)
    if (problem !== null) wrong.push(`${row.id} is ${row.status}: ${problem}`)
  }
  const late = rows.flatMap(({ id, due }) => {
    const { accepted = [], acceptedAt = 0 } = provider.sent.get(id) ?? {}
    return accepted.length === 0 ? [] : [(acceptedAt - due.getTime()) / 1000]
  })
  const lateness = [0.5, 0.99, 1].map((part) => percentile(late, part).toFixed(2))
  const all = [...provider.sent.values()]
  const taken = all.filter(({ accepted }) => accepted.length > 0)
  return [
    {
      promise: 'The provider is given a message once at most',
      numbers: [
        `accepted ${count(taken.length)} of ${count(all.length)}`,
        `its answers: ${counts(tallied(all.flatMap(({ answers }) => answers)))}`,
        `from the time it was due until it was accepted: median ${lateness[0]} s, 99 % ${lateness[1]} s, worst ${lateness[2]} s`,
      ],
      broken: twice,
    },
    {
      promise: 'Each message ends with the furthest status that is known of it, none PENDING for ever',
      numbers: [
        counts(tallied(rows.map(({ status }) => status))),
        `receipts acknowledged: ${counts(tallied(all.flatMap(({ receipts }) => receipts)))}`,
        `UNKNOWN because: ${counts(causes)}`,
      ],
      broken: wrong,
    },
  ]
}

function problemOf(row: Row, sent: Sent | undefined, outages: Outages, causes: Map<string, number>): string | null {
  const { answers = [], receipts = [], accepted = [] } = sent ?? {}
  if (row.externalId !== null && !accepted.includes(row.externalId)) return 'its external id is not the provider’s'
  const settled: DeliveryStatus[] = [...receipts]
  if (answers.includes('answered')) settled.push('SENT')
  if (answers.includes('refused')) settled.push('FAILED')
  const expected = settled.reduce<DeliveryStatus>(furthest, 'UNKNOWN')
  if (row.status !== 'UNKNOWN') return row.status === expected ? null : `${expected} is what the provider said (${answers.join(', ')})`
  if (receipts.length > 0) return `${expected} is what receipts said`
  const cause = causeOf(row, answers, outages)
  if (cause === null) return 'nobody was killed and nothing dropped while it was sent'
  causes.set(cause, (causes.get(cause) ?? 0) + 1)
  return null
}

/** Why nobody can know whether it was sent. */
function causeOf({ attempt }: Row, answers: Sent['answers'], { list }: Outages): string | null {
  const last = answers.at(-1)
  if (last === 'lost' || last === 'dropped') return 'connection dropped'
  if (last === 'failed') return 'HTTP 500'
  const at = attempt?.getTime() ?? 0
  const outage = list.find(({ what, from, back }) => what !== 'Redis' && at >= from - IN_HAND_MS && at <= back)
  if (outage === undefined) return null
  return outage.what === 'worker' ? 'worker killed in the call' : 'PostgreSQL went away in the call'
}

/** A note whose answer came is there once, any other once at most. */
export async function judgeNotes(pool: pg.Pool, notes: Notes): Promise<Verdict> {
  const { rows } = await pool.query<{ body: string; n: number }>(
    `SELECT body, count(*)::int AS n FROM communication WHERE type = 'INTERNAL_NOTE' GROUP BY body`,
  )
  const broken: string[] = []
  const found = new Map(rows.map(({ body, n }) => [body, n]))
  for (const [body, { answered }] of notes) if (answered && !found.has(body)) broken.push(`“${body}” was accepted, and is lost`)
  for (const [body, n] of found) if (n > 1 || !notes.has(body)) broken.push(`“${body}” is there ${n} times`)
  return { promise: 'An accepted note is there once', numbers: [`asked for ${count(notes.size)}, there ${count(found.size)}`], broken }
}

async function outbound(pool: pg.Pool): Promise<Row[]> {
  const { rows } = await pool.query<Row>(
    `SELECT id, idempotency_key AS key, organization_id AS "organizationId", delivery_status AS status, attempt_started_at AS attempt,
       external_message_id AS "externalId", coalesce(send_at, created_at) AS due
     FROM communication WHERE direction = 'OUTBOUND'`,
  )
  return rows
}

/** As the graph spells it. */
const globalId = (id: string): string => Buffer.from(`Communication:${id}`).toString('base64')

import pg from 'pg'
import { vi } from 'vitest'

/** What went to PostgreSQL, and while what was done. */
export type Statement = { operation: string; name: string | undefined; text: string; values: unknown[] }

type Plan = {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows'?: number
  'Actual Loops'?: number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: Plan[]
}

/** More rows of one table than the longest conversation has messages: a filter may read those of one customer, not those of all. */
const MANY = 2_500

const EXPLAINED = /^\s*(?:select|with|insert|update|delete)\b/i

/** Writes down what this process sends to PostgreSQL, whichever pool it goes through, while `work` runs. */
export async function recorded(operation: string, work: () => Promise<unknown>): Promise<Statement[]> {
  const spy = vi.spyOn(pg.Client.prototype, 'query')
  try {
    await work()
    return (spy.mock.calls as unknown[][]).flatMap(([query, given]) => {
      const { name, text, values } =
        typeof query === 'string' ? { name: undefined, text: query, values: undefined } : (query as pg.QueryConfig)
      return EXPLAINED.test(text) ? [{ operation, name, text, values: values ?? (Array.isArray(given) ? given : []) }] : []
    })
  } finally {
    spy.mockRestore()
  }
}

/**
 * What is wrong with the plan of a statement: tables of `large` that it reads from end to end, or of which it reads many rows. A small table may be
 * read as fast without its index, so the plan counts that PostgreSQL makes where it avoids that. It is run for its parameters, and undone.
 */
export async function faultsOf(pool: pg.Pool, statement: Statement, large: ReadonlySet<string>): Promise<string[]> {
  const client = await pool.connect()
  const explained = async (options: string, values: unknown[], settings = 'SELECT') => {
    await client.query(`BEGIN; ${settings}`)
    try {
      const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>({
        text: `EXPLAIN (FORMAT JSON, ${options}) ${statement.text}`,
        values,
      })
      const plan = rows[0]?.['QUERY PLAN'][0].Plan
      return plan === undefined ? [] : readings(plan).filter(({ table, whole, rows: read }) => large.has(table) && (whole || read > MANY))
    } finally {
      await client.query('ROLLBACK')
    }
  }
  const indexed = 'SET LOCAL enable_seqscan = off'
  try {
    const asItIs = await explained('ANALYZE, TIMING off, BUFFERS off', statement.values).catch((error: unknown) => {
      // What was written once cannot always be written again; its plan is there all the same.
      if (!(error instanceof pg.DatabaseError)) throw error
      return explained('COSTS on', statement.values, indexed)
    })
    const bad =
      asItIs.length === 0 ? [] : await explained('ANALYZE, TIMING off, BUFFERS off', statement.values, indexed).catch(() => asItIs)
    const generic = statement.name === undefined ? [] : await explained('GENERIC_PLAN', [], indexed)
    return [...bad.map(({ words }) => words), ...generic.map(({ words }) => `prepared: ${words}`)]
  } finally {
    client.release()
  }
}

type Reading = { table: string; whole: boolean; rows: number; words: string }

/** What each scan of the plan takes in hand, thrown away or not. */
function readings(plan: Plan): Reading[] {
  const { 'Node Type': node, 'Relation Name': table, 'Index Name': index, 'Actual Loops': loops = 1 } = plan
  const each = (plan['Actual Rows'] ?? 0) + (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0)
  const rows = Math.round(each * loops)
  const own = { whole: node === 'Seq Scan', rows, words: `${node} ${index === undefined ? '' : `by ${index} `}on ${table}, ${rows} rows` }
  return [...(table !== undefined && node.endsWith('Scan') ? [{ table, ...own }] : []), ...(plan.Plans ?? []).flatMap(readings)]
}

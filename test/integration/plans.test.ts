import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApp, type TestApp } from '../support/app.ts'
import { exercise } from '../support/exercise.ts'
import { openLargeOrganization } from '../support/large-organization.ts'
import { faultsOf, recorded, type Statement } from '../support/query-plans.ts'

/** As many parameters of one statement are tried. */
const EACH = 12

const limits = { MAX_QUERY_TOKENS: '100000', MAX_QUERY_COST: '10000000', MAX_QUERY_DEPTH: '100', MAX_QUERY_ALIASES: '1000' }

let app: TestApp
let organizationId: string
let large: ReadonlySet<string>
const seen = new Map<string, Statement[]>()

const faults = (statement: Pick<Statement, 'text'> & Partial<Statement>) =>
  faultsOf(app.deps.pool, { operation: 'made up', name: undefined, values: [], ...statement }, large)

beforeAll(async () => {
  // What is exercised is refused for nothing but its content; the rows are written by hand.
  app = await startTestApp(limits, { handwritten: true })
  const org = await openLargeOrganization(app)
  organizationId = org.id
  large = org.large
  await exercise(app, org, async (operation, work) => {
    for (const statement of await recorded(operation, work)) {
      const same = seen.get(statement.text) ?? []
      if (same.length < EACH) seen.set(statement.text, [...same, statement])
    }
  })
}, 180_000)
afterAll(() => app?.close())

test('a statement that no index serves is found', async () => {
  expect(await faults({ text: `SELECT id FROM communication WHERE failure_code = 'x'` })).toEqual([
    expect.stringContaining('Seq Scan on communication'),
  ])
  const update = { text: `UPDATE webhook_receipt SET problem = NULL WHERE segment = $1`, values: ['voice'] }
  expect(await faults(update)).toEqual([expect.stringContaining('Seq Scan on webhook_receipt')])
})

test('and one that reads all of an organization by an index', async () => {
  const text = `SELECT id FROM communication WHERE organization_id = $1 AND failure_code = 'x' ORDER BY id DESC LIMIT 10`
  expect(await faults({ text, values: [organizationId] })).toEqual([expect.stringMatching(/Scan .*on communication, \d{5} rows/)])
})

test('and one whose plan is bad once it is for all parameters', async () => {
  const statement = { text: 'SELECT id FROM communication WHERE delivery_status = $1', values: ['SCHEDULED'] }
  expect(await faults(statement)).toEqual([])
  expect(await faults({ ...statement, name: 'prepared' })).toEqual([expect.stringContaining('prepared: Seq Scan on communication')])
})

test('every statement of the product finds by an index what it reads', async () => {
  const found: string[] = []
  for (const [text, statements] of seen) {
    for (const statement of statements) {
      const [fault] = await faults(statement)
      if (fault === undefined) continue
      found.push(`${statement.operation}: ${fault}: ${text.replaceAll(/\s+/g, ' ')} ${JSON.stringify(statement.values)}`)
      break
    }
  }
  expect(found).toEqual([])
  expect(seen.size).toBeGreaterThan(300)
  // Every table that grows is in the statements that were judged.
  for (const table of large)
    expect(
      [...seen.keys()].some((text) => text.includes(table)),
      table,
    ).toBe(true)
}, 120_000)

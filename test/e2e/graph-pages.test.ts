import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AddNoteDocument, CreateTemplateDocument, InboxDocument, SendMessageDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'

type Connection = {
  edges: { cursor: string; node: { id: string } }[]
  nodes: { id: string }[]
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null }
}
type PageArguments = { first?: number; after?: string | null; last?: number; before?: string | null }

let app: TestApp
let org: TestOrganization
let customerId: string
let conversationId: string
let numbers = 0

const PERSON = '+905554440000'
const number = () => `+90555${String(5550000 + numbers++)}`
const ROWS = 10

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'pages' })
  for (let n = 0; n < ROWS - 2; n++) await org.sms.inbound(number(), `from ${n}`)
  for (let n = 0; n < ROWS; n++) await org.sms.inbound(PERSON, `message ${n}`)
  await org.whatsapp.inbound(PERSON, 'elsewhere')
  for (let n = 0; n < ROWS; n++) await template()
  const { conversations } = await org.ask(InboxDocument, { filter: { search: PERSON, channels: ['SMS'] } })
  const row = present(conversations.nodes[0])
  customerId = row.customer.id
  conversationId = row.id
  for (let n = 0; n < ROWS; n++) await scheduled()
})
afterAll(() => app?.close())

let templates = 0
const template = () => org.ask(CreateTemplateDocument, { input: { name: `template ${templates++}`, body: 'x' } })
const stranger = () => org.sms.inbound(number(), 'new')
const message = () => org.sms.inbound(PERSON, 'new')
const LATER = Date.now() + 86_400_000
let later = 0
/** Two of them at each time. */
async function scheduled(): Promise<void> {
  const sendAt = new Date(LATER + Math.floor(later++ / 2)).toISOString()
  const input = { to: { conversationId }, content: { text: `later ${later}` }, sendAt }
  member((await org.ask(SendMessageDocument, { input })).sendMessage, 'SendMessageSuccess')
}
const note = () => org.ask(AddNoteDocument, { input: { customerId, body: 'new' } })

type List = {
  name: string
  /** The selection around `{connection}`, and where the connection stands in the answer. */
  around: (field: string) => string
  at: string[]
  field: string
  /** Makes one more row. */
  grow: () => Promise<unknown>
  /** Whether new rows come before (newest first) or behind the others. */
  newRows: 'first' | 'last'
}

const inside = (parent: 'customer' | 'conversation') => ({
  around: (field: string) => `${parent}(id: "${parent === 'customer' ? customerId : conversationId}") { ${field} }`,
  at: [parent],
})
const root = { around: (field: string) => field, at: [] }

const lists: List[] = [
  { name: 'conversations', ...root, field: 'conversations', grow: stranger, newRows: 'first' },
  { name: 'communications', ...root, field: 'communications', grow: stranger, newRows: 'first' },
  { name: 'customers', ...root, field: 'customers', grow: stranger, newRows: 'first' },
  { name: 'templates', ...root, field: 'templates', grow: template, newRows: 'last' },
  { name: 'scheduledMessages', ...root, field: 'scheduledMessages', grow: scheduled, newRows: 'last' },
  { name: 'communications of a conversation', ...inside('conversation'), field: 'communications', grow: message, newRows: 'last' },
  { name: 'communications of a customer', ...inside('customer'), field: 'communications', grow: note, newRows: 'last' },
  { name: 'timeline of a customer', ...inside('customer'), field: 'timeline', grow: note, newRows: 'first' },
]

async function answerOf(list: List, args: PageArguments) {
  const given = Object.entries(args).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
  const field = `${list.field}${given.length === 0 ? '' : `(${given.join(', ')})`} {
    edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }`
  return app.request<Record<string, unknown>, object>(`{ ${list.around(field)} }`, {}, org.token)
}

async function page(list: List, args: PageArguments): Promise<Connection> {
  const { data, errors } = await answerOf(list, args)
  expect(errors).toBeUndefined()
  const connection = [...list.at, list.field].reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], data) as Connection
  expect(connection.nodes).toEqual(connection.edges.map(({ node }) => node))
  expect(connection.pageInfo.startCursor).toBe(connection.edges[0]?.cursor ?? null)
  expect(connection.pageInfo.endCursor).toBe(connection.edges.at(-1)?.cursor ?? null)
  return connection
}

const ids = ({ nodes }: Connection) => nodes.map(({ id }) => id)

describe.each(lists)('$name', (list) => {
  test('paging forwards covers every row once while rows arrive', async () => {
    const before = ids(await page(list, { first: 100 }))
    expect(before.length).toBeGreaterThanOrEqual(ROWS)
    const seen: string[] = []
    let after: string | null = null
    for (let pages = 0; pages < 40; pages++) {
      const { pageInfo, ...rest }: Connection = await page(list, { first: 3, after })
      seen.push(...ids({ pageInfo, ...rest }))
      expect(pageInfo.hasPreviousPage).toBe(after !== null)
      after = pageInfo.endCursor
      if (!pageInfo.hasNextPage) break
      if (pages < 3) await list.grow()
    }
    expect(seen.slice(0, before.length)).toEqual(before)
    const arrived = ids(await page(list, { first: 100 })).filter((id) => !before.includes(id))
    expect(arrived.length).toBeGreaterThanOrEqual(3)
    expect(seen.slice(before.length)).toEqual(list.newRows === 'first' ? [] : arrived)
  })

  test('paging backwards covers every row once, in the list’s order, while rows arrive', async () => {
    const before = ids(await page(list, { last: 100 }))
    expect(before).toEqual(ids(await page(list, { first: 100 })))
    let seen: string[] = []
    let cursor: string | null = null
    for (let pages = 0; pages < 40; pages++) {
      const { pageInfo, ...rest }: Connection = await page(list, { last: 3, before: cursor })
      seen = [...ids({ pageInfo, ...rest }), ...seen]
      expect(pageInfo.hasNextPage).toBe(cursor !== null)
      cursor = pageInfo.startCursor
      if (!pageInfo.hasPreviousPage) break
      if (pages < 3) await list.grow()
    }
    expect(seen.slice(-before.length)).toEqual(before)
    const arrived = ids(await page(list, { first: 100 })).filter((id) => !before.includes(id))
    expect(seen.slice(0, -before.length)).toEqual(list.newRows === 'first' ? arrived : [])
  })

  test('a page of exactly the rest has no next one, and after the end comes an empty page', async () => {
    const all = await page(list, { first: 100 })
    const exact = await page(list, { first: all.nodes.length })
    expect(exact.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: false })
    expect((await page(list, { first: all.nodes.length - 1 })).pageInfo.hasNextPage).toBe(true)
    const behind = await page(list, { first: 5, after: all.pageInfo.endCursor })
    expect(behind).toMatchObject({ nodes: [], pageInfo: { hasNextPage: false, startCursor: null } })
  })

  test('a size, a combination or a cursor that is wrong is refused by name', async () => {
    const { endCursor } = (await page(list, { first: 1 })).pageInfo
    const cases: [PageArguments, string][] = [
      [{ first: 0 }, 'first'],
      [{ first: 101 }, 'first'],
      [{ first: -1 }, 'first'],
      [{ last: 0 }, 'last'],
      [{ last: 101 }, 'last'],
      [{ first: 1, last: 1 }, 'first'],
      [{ first: 1, before: endCursor }, 'before'],
      [{ last: 1, after: endCursor }, 'after'],
      [{ first: 1, after: 'x' }, 'after'],
      [{ first: 1, after: '' }, 'after'],
      [{ last: 1, before: `${endCursor}${endCursor}` }, 'before'],
    ]
    for (const [args, argument] of cases) await expectRefusal(list, args, argument)
  })

  test('a cursor of another list is refused', async () => {
    for (const other of lists.filter(({ field }) => field !== list.field)) {
      const { endCursor } = (await page(other, { first: 1 })).pageInfo
      await expectRefusal(list, { first: 1, after: endCursor }, 'after')
    }
  })
})

async function expectRefusal(list: List, args: PageArguments, argument: string): Promise<void> {
  const { errors, data } = await answerOf(list, args)
  expect(errors, JSON.stringify(args)).toHaveLength(1)
  expect(errors?.[0]).toMatchObject({
    message: expect.stringContaining(argument),
    extensions: { code: 'INVALID_INPUT', inputPath: [argument] },
  })
  expect(JSON.stringify({ errors, data })).not.toMatch(/stack|node_modules|SELECT/i)
}

test('the conversations of a customer page like the others', async () => {
  const list: List = { name: '', ...inside('customer'), field: 'conversations', grow: stranger, newRows: 'first' }
  const all = await page(list, { first: 100 })
  expect(all.nodes).toHaveLength(2)
  const [first] = all.edges
  expect(ids(await page(list, { first: 1, after: first?.cursor ?? null }))).toEqual(ids(all).slice(1))
  expect(ids(await page(list, { last: 1 }))).toEqual(ids(all).slice(1))
  await expectRefusal(list, { first: 0 }, 'first')
})

import { type GraphQLField, type GraphQLObjectType, type GraphQLSchema, getNamedType, isObjectType } from 'graphql'

type Ids = Record<string, readonly string[]>

const PAGE_ARGUMENTS = ['first: 1', 'first: 3', 'last: 2', 'last: 5', 'first: 100']
const CONVERSATION_FILTERS = [
  '{ status: OPEN }',
  '{ unread: true }',
  '{ channels: [SMS, EMAIL] }',
  '{ search: "9055" }',
  '{ unassigned: false }',
]
const COMMUNICATION_FILTERS = ['{ direction: INBOUND }', '{ types: [SMS, INTERNAL_NOTE] }', '{ unread: false }', '{ search: "answer" }']
const MAX_DEPTH = 7

/** A query for some of what has SQL, in any spelling that GraphQL allows; the same for the same seed. */
export function randomDocument(schema: GraphQLSchema, ids: Ids, seed: number): { text: string; variables: Record<string, unknown> } {
  let state = seed
  // The minimal standard generator of Park and Miller; its lowest bits alone would repeat too soon.
  const next = (): number => {
    state = (state * 48_271) % (2 ** 31 - 1)
    return state >> 8
  }
  const pick = <Value>(values: readonly Value[]): Value => values[next() % values.length] as Value
  const variables: Record<string, unknown> = {}
  const declared: string[] = []
  const fragments: string[] = []

  const argumentsOf = (field: GraphQLField<unknown, unknown>): string => {
    const names = new Set(field.args.map(({ name }) => name))
    const given: string[] = []
    if (names.has('id')) {
      const name = `v${declared.length}`
      declared.push(`$${name}: ID!`)
      variables[name] = pick(ids[getNamedType(field.type).name] ?? [])
      given.push(`id: $${name}`)
    }
    if (names.has('first')) given.push(pick(PAGE_ARGUMENTS))
    if (names.has('filter') && next() % 3 === 0) {
      const conversations = getNamedType(field.type).name.startsWith('Conversation')
      given.push(`filter: ${pick(conversations ? CONVERSATION_FILTERS : COMMUNICATION_FILTERS)}`)
    }
    return given.length === 0 ? '' : `(${given.join(', ')})`
  }

  const selection = (type: GraphQLObjectType, depth: number): string => {
    const usable = Object.values(type.getFields()).filter(
      (field) => hasSql(type, field) && (depth < MAX_DEPTH || !isObjectType(getNamedType(field.type))),
    )
    const chosen = usable.filter(() => next() % 3 === 0)
    const parts = (chosen.length === 0 ? usable.slice(0, 1) : chosen).map((field) => {
      const child = getNamedType(field.type)
      const own = `${field.name}${argumentsOf(field)}`
      return `${next() % 8 === 0 ? `a${next() % 1000}_${field.name}: ` : ''}${own}${isObjectType(child) ? ` ${selection(child, depth + 1)}` : ''}`
    })
    const fields = parts.length === 0 ? '__typename' : unambiguous(parts).join(' ')
    switch (next() % 6) {
      case 0:
        return `{ __typename ... on ${type.name} { ${fields} } }`
      case 1:
        fragments.push(`fragment F${fragments.length} on ${type.name} { ${fields} }`)
        return `{ ...F${fragments.length - 1} }`
      default:
        return `{ ${fields} }`
    }
  }

  const query = schema.getQueryType()
  if (!query) throw new Error('the schema has no queries')
  const roots = Object.values(query.getFields()).filter((field) => hasSql(query, field))
  const root = pick(roots)
  const child = getNamedType(root.type)
  const body = `${root.name}${argumentsOf(root)} ${isObjectType(child) ? selection(child, 1) : ''}`
  const head = declared.length === 0 ? '' : `(${declared.join(', ')})`
  return { text: `query ${head} { ${body} } ${fragments.join(' ')}`, variables }
}

const CONNECTION_FIELDS = ['nodes', 'edges', 'pageInfo', 'cursor', 'node', 'hasNextPage', 'hasPreviousPage', 'startCursor', 'endCursor']

const hasSql = (type: GraphQLObjectType, field: GraphQLField<unknown, unknown>): boolean =>
  field.extensions.sql !== undefined ||
  (field.name === 'id' && type.getInterfaces().some(({ name }) => name === 'Node')) ||
  (/(Connection|Edge|PageInfo)$/.test(type.name) && CONNECTION_FIELDS.includes(field.name))

/** Two fields of one key would have to be the same. */
const unambiguous = (parts: string[]): string[] => [...new Map(parts.map((part) => [/^\w+/.exec(part)?.[0], part])).values()]

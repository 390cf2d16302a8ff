import { Prisma } from '../../src/db/generated/client.ts'
import { cursorSql, type ListQuery, pageRows, readOrder } from '../../src/domain/list-query.ts'
import { type FieldSql, LeftToExecutor, ORGANIZATION } from './field.ts'
import { jsonObject, selectList } from './sql.ts'
import { filled, type Request, type Template } from './template.ts'

/** A field of a connection: `nodes` or `edges` with what each row shows, `pageInfo`, or `__typename`. */
export type ConnectionField = { key: string } & (
  | { constant: string }
  | { rows: Template }
  | { pageInfo: { key: string; name: string; type: string }[] }
)

/** `row`: the parent's alias; null: the query. `item`: that of the page's rows. */
type Place = { request: Request; row: string | null; item: string }

/** A page as one JSON object: its rows are read once, whatever is shown of them. */
export function connectionSql(
  { column }: Extract<FieldSql, { kind: 'page' }>,
  query: ListQuery,
  fields: ConnectionField[],
  { request, row, item }: Place,
): string {
  if (query.perValues) request.perValues()
  const sums: string[] = []
  const sum = (expression: string): string => `page.s${sums.push(`${expression} AS s${sums.length}`) - 1}`
  const shown = selectList(fields.map((field) => ({ key: field.key, parts: [fieldSql(field, query, { request, item, sum })] })))
  const parent = Prisma.raw(`item.${column} = ${row === null ? `${ORGANIZATION}::uuid` : `${row}.id`}`)
  const places = `row_number() OVER read AS place, lead(item.id) OVER read IS NULL AS last, ${cursorSql(query.list, 'item')} AS cursor`
  const read = `(${request.bind(pageRows(query, parent))}) AS item WINDOW read AS (ORDER BY ${readOrder(query, 'item')})`
  const rows = `(SELECT item.*, ${places} FROM ${read}) AS ${item}`
  const page = `(SELECT ${sums.length === 0 ? 'count(*)' : sums.join(', ')} FROM ${rows}) AS page`
  return jsonObject([...shown, ' FROM ', page]).join('')
}

type Sums = { request: Request; item: string; sum(expression: string): string }

function fieldSql(field: ConnectionField, query: ListQuery, { request, item, sum }: Sums): string {
  if ('constant' in field) return `'${field.constant}'`
  if ('rows' in field) return sum(listed(query, filled(field.rows, request), item))
  const info = field.pageInfo.map(({ key, name, type }) => ({ key, parts: [pageInfo(name, type, query, item, sum)] }))
  return jsonObject(selectList(info)).join('')
}

/** The rows of a page in the list's order, each an object of these fields; the one row more only says that there is one. */
const listed = ({ page }: ListQuery, fields: string, item: string): string =>
  `coalesce(json_agg(${jsonObject([fields]).join('')} ORDER BY ${item}.place${page.backwards ? ' DESC' : ''})
    FILTER (WHERE ${item}.place <= ${page.limit}), '[]')`

function pageInfo(name: string, type: string, { list, page }: ListQuery, item: string, sum: Sums['sum']): string {
  const cursorAt = (place: string) => sum(`max(${cursorSql(list, item)}) FILTER (WHERE ${place})`)
  const [near, far] = [`${item}.place = 1`, `${item}.place = ${page.limit} OR (${item}.last AND ${item}.place < ${page.limit})`]
  const [more, before] = [() => sum(`count(*) > ${page.limit}`), () => String(page.cursor !== null)]
  switch (name) {
    case '__typename':
      return `'${type}'`
    case 'hasNextPage':
      return page.backwards ? before() : more()
    case 'hasPreviousPage':
      return page.backwards ? more() : before()
    case 'startCursor':
      return cursorAt(page.backwards ? far : near)
    case 'endCursor':
      return cursorAt(page.backwards ? near : far)
    default:
      throw new LeftToExecutor()
  }
}

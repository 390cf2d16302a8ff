import { PrismaPg } from '@prisma/adapter-pg'
import { ColumnTypeEnum, type SqlMigrationAwareDriverAdapterFactory, type SqlQuery, type SqlQueryable } from '@prisma/driver-adapter-utils'
import pg from 'pg'

const CHAR_OID = 18
const TEXT_OID = 25
const MARK = '\u0000"char"'

/**
 * Prisma's adapter for its schema engine, mended in two places.
 *
 * It knows every type but the system catalogs' "char", which the engine reads when it describes a database: such columns pass the adapter as text
 * with a mark on their name, and leave it as characters.
 *
 * It cuts scripts at every semicolon and runs the pieces one by one. Here a script is one query without parameters, which PostgreSQL runs as one
 * transaction: a migration that fails or is interrupted leaves nothing behind, and nobody writes between two of its statements.
 */
export function catalogAdapter(pool: pg.Pool): SqlMigrationAwareDriverAdapterFactory {
  const inner = new PrismaPg(pool)
  return {
    provider: inner.provider,
    adapterName: inner.adapterName,
    connect: async () => withCharacters(await inner.connect()),
    connectToShadowDb: async () => withCharacters(await inner.connectToShadowDb()),
  }
}

function withCharacters<Adapter extends SqlQueryable>(adapter: Adapter): Adapter {
  const queryRaw = adapter.queryRaw.bind(adapter)
  return Object.assign(adapter, {
    async executeScript(script: string) {
      await adapter.executeRaw({ sql: script, args: [], argTypes: [] })
    },
    async queryRaw(query: SqlQuery) {
      const result = await queryRaw(query)
      const marked = result.columnNames.map((name) => name.endsWith(MARK))
      return {
        ...result,
        columnNames: result.columnNames.map((name) => name.replace(MARK, '')),
        columnTypes: result.columnTypes.map((type, index) => (marked[index] ? ColumnTypeEnum.Character : type)),
      }
    },
  })
}

/** A pool that marks the columns of type "char". */
export class CatalogPool extends pg.Pool {
  override query = (async (...args: [pg.QueryConfig]) => {
    const result = await super.query(...args)
    for (const field of result.fields ?? []) {
      if (field.dataTypeID !== CHAR_OID) continue
      field.dataTypeID = TEXT_OID
      field.name += MARK
    }
    return result
  }) as pg.Pool['query']
}

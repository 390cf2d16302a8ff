import { contextCacheSymbol, createContextCache } from '@pothos/core'
import DataLoader from 'dataloader'
import type { GraphQLSchema } from 'graphql'
import type { Context } from './context.ts'

type Loaders = Map<string, DataLoader<string, unknown>>

const loadersOf = createContextCache((): Loaders => new Map())

/**
 * Loads a list for each of many parents in one statement: fields of one execution that ask with the same arguments share a batch.
 * `name` and `key` together say what is asked.
 */
export async function batched<Value>(
  context: Context,
  name: string,
  key: unknown,
  parentId: string,
  load: (parentIds: readonly string[]) => Promise<Map<string, Value>>,
): Promise<Value> {
  const own = loadersOf(context)
  const id = `${name} ${JSON.stringify(key)}`
  const loader: DataLoader<string, Value> =
    (own.get(id) as DataLoader<string, Value> | undefined) ??
    new DataLoader<string, Value>(async (parentIds) => {
      const found = await load(parentIds)
      return parentIds.map((parent) => found.get(parent) ?? new Error(`${name}: nothing for ${parent}`))
    })
  own.set(id, loader)
  return loader.load(parentId)
}

/**
 * Rows in the order of the ids, null where there is none (in this organization): a nullable field is then null, without an error. The type
 * leaves null out, because the plugin would make every field's parent nullable by it; resolvers never run for null.
 */
export function inOrder<Row extends { id: string }>(ids: readonly string[], rows: Row[]): Row[] {
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => byId.get(id) ?? null) as Row[]
}

/** Mutations of one request run one after the other, and each has to see what those before it have changed: none inherits a cache. */
export function forgetBetweenMutations(schema: GraphQLSchema): GraphQLSchema {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const { resolve } = field
    if (resolve === undefined) throw new Error(`the mutation ${field.name} has no resolver`)
    field.resolve = (root, args, context, info) => {
      Object.assign(context, { [contextCacheSymbol]: {} })
      return resolve(root, args, context, info)
    }
  }
  return schema
}

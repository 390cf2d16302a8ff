import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import type { SchemaEngine } from '@prisma/schema-engine-wasm/schema_engine_bg'
import { CatalogPool, catalogAdapter } from './catalog-adapter.ts'

/** Prisma's migration engine on one database, in this process: no command-line tool, no download. Takes a moment to load. */
export async function openSchemaEngine(url: string, schema?: string): Promise<{ engine: SchemaEngine; close(): Promise<void> }> {
  const bindings = await load()
  const datamodels = schema === undefined ? undefined : [['schema.prisma', schema] as [string, string]]
  const pool = new CatalogPool({ connectionString: url, connectionTimeoutMillis: 10_000 })
  const adapter = bindMigrationAwareSqlAdapterFactory(catalogAdapter(pool))
  const engine = await bindings.SchemaEngine.new({ datamodels }, () => undefined, adapter)
  return {
    engine,
    async close() {
      engine.free()
      await pool.end()
    },
  }
}

// TypeScript declares it for browsers only.
declare const WebAssembly: {
  instantiate(
    code: Uint8Array,
    imports: Record<string, Record<string, unknown>>,
  ): Promise<{ instance: { exports: Record<string, unknown> } }>
}

// The bindings know one instance, for the life of the process.
let loaded: ReturnType<typeof instantiate> | undefined
const load = () => (loaded ??= instantiate())

async function instantiate() {
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg')
  const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg'))
  const code = await readFile(join(folder, 'schema_engine_bg.wasm'))
  const { instance } = await WebAssembly.instantiate(code, {
    './schema_engine_bg.js': Object.fromEntries(Object.entries(bindings).map(releaseTimer)),
  })
  bindings.__wbg_set_wasm(instance.exports)
  const { __wbindgen_start: start } = instance.exports
  if (typeof start !== 'function')
    throw new Error('the schema engine has no start function: another version of @prisma/schema-engine-wasm?')
  start()
  return bindings
}

/** The engine never clears the timer of its lock's deadline, which would keep a finished process for ten seconds. */
function releaseTimer([name, value]: [string, unknown]): [string, unknown] {
  return name.startsWith('__wbg_setTimeout_') ? [name, (call: () => void, wait: number) => setTimeout(call, wait).unref()] : [name, value]
}

// Where the engine leaves the story of a panic.
Object.assign(globalThis, {
  PRISMA_WASM_PANIC_REGISTRY: { set_message: (message: string) => process.stderr.write(`schema engine: ${message}\n`) },
})

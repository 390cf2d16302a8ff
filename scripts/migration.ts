import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { pino } from 'pino'
import { startEmbedded } from '../src/db/embedded.ts'
import { MIGRATIONS_DIR, type Migration, migrationList, readMigrations } from '../src/db/migrations.ts'
import { openSchemaEngine } from '../src/db/schema-engine.ts'

const HELP = `npm run migration -- <name>           writes what prisma/schema.prisma has and the migrations have not
npm run migration -- --reset <name>   writes the migration of that name anew, as the step from the migrations before it
npm run migration -- --check          fails when prisma/schema.prisma has what the migrations have not

Migrations whose name ends with _indexes are written by hand: what Prisma's schema cannot say.`

const filters = { externalTables: [], externalEnums: [] }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { reset: { type: 'boolean' }, check: { type: 'boolean' }, help: { type: 'boolean' } },
})
const [name] = positionals
if (values.help === true || (values.check !== true && !/^[a-z0-9_]+$/.test(name ?? ''))) {
  console.log(HELP)
  process.exit(values.help === true ? 0 : 1)
}

const existing = await readMigrations()
const replaced = values.reset === true ? existing.findIndex((migration) => migration.name.endsWith(`_${name}`)) : -1
const before = replaced === -1 ? existing : existing.slice(0, replaced)
const script = await difference(before)
if (script === null) {
  console.log('The migrations already say what prisma/schema.prisma says.')
} else if (values.check === true) {
  console.log(`prisma/schema.prisma has more than the migrations: npm run migration -- <name>\n${script}`)
  process.exitCode = 1
} else {
  const folder = existing[replaced]?.name ?? `${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}_${name}`
  await mkdir(join(MIGRATIONS_DIR, folder), { recursive: true })
  await writeFile(join(MIGRATIONS_DIR, folder, 'migration.sql'), script)
  console.log(`Wrote prisma/migrations/${folder}/migration.sql: read it before you commit it.`)
}

/** SQL from what `migrations` make, on a database of its own, to schema.prisma; null where there is nothing to do. */
async function difference(migrations: readonly Migration[]): Promise<string | null> {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-migration-'))
  const { url, stop } = await startEmbedded({ dataDir, log: pino({ level: 'warn' }), settings: { fsync: 'off' } })
  try {
    const schema = await readFile('prisma/schema.prisma', 'utf8')
    const { engine, close } = await openSchemaEngine(url, schema)
    await engine.applyMigrations({ migrationsList: migrationList(migrations), filters })
    await dropHandWrittenIndexes(url, migrations)
    const files = [{ path: 'schema.prisma', content: schema }]
    const { stdout } = await engine.diff({
      from: migrations.length === 0 ? { tag: 'empty' } : { tag: 'schemaDatasource', files, configDir: 'prisma' },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: null,
      filters,
    })
    await close()
    return stdout === null || /^\s*(-- This is an empty migration\.)?\s*$/.test(stdout) ? null : `${stdout.trim()}\n`
  } finally {
    await stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Prisma would drop every index that its schema does not name. */
async function dropHandWrittenIndexes(url: string, migrations: readonly Migration[]): Promise<void> {
  const scripts = migrations.filter((migration) => migration.name.endsWith('_indexes')).map((migration) => migration.script)
  const names = scripts.flatMap((text) => [...text.matchAll(/^create (?:unique )?index (\w+)/gm)].map((match) => match[1]))
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (const index of names) await client.query(`drop index if exists ${index}`)
  await client.end()
}

import { hash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MigrationList } from '@prisma/schema-engine-wasm/schema_engine_bg'

export const MIGRATIONS_DIR = join(import.meta.dirname, '../../prisma/migrations')

/** One folder of prisma/migrations; `checksum` as Prisma stores it (SHA-256 of the script, in hex). */
export type Migration = { name: string; script: string; checksum: string }

/** All migrations in the order in which they are applied. */
export async function readMigrations(directory: string = MIGRATIONS_DIR): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return Promise.all(
    names.sort().map(async (name) => {
      const script = await readFile(join(directory, name, 'migration.sql'), 'utf8')
      return { name, script, checksum: hash('sha256', script, 'hex') }
    }),
  )
}

/** The same as the schema engine takes it. */
export function migrationList(migrations: readonly Migration[]): MigrationList {
  return {
    baseDir: MIGRATIONS_DIR,
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: migrations.map(({ name, script }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: script } },
    })),
  }
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import type { TestProject } from 'vitest/node'
import { startEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the database that every test database is a copy of; nobody may stay connected to it. */
    templateUrl: string
  }
}

/** Nothing of a test has to survive a power cut. */
const SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' }

/** One PostgreSQL for all test files, with one migrated template. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-test-'))
  const log = pino({ level: 'warn' })
  const embedded = await startEmbedded({ dataDir, log, settings: SETTINGS })
  const template = new URL(embedded.url)
  template.pathname = '/template'
  const client = new pg.Client({ connectionString: embedded.url })
  await client.connect()
  await client.query('create database template')
  await client.end()
  await migrate(template.href, log)
  project.provide('templateUrl', template.href)
  return async () => {
    await embedded.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

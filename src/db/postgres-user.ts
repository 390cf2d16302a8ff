import { execFile, spawn } from 'node:child_process'
import { chown, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { ConfigError } from '../config.ts'

const exec = promisify(execFile)

/** Runs PostgreSQL's programs as a user that PostgreSQL accepts: ourselves, or `postgres` when we are root. */
export type Launcher = {
  /** Answers what the program printed; rejects with it when the program fails. */
  run(program: string, args: readonly string[]): Promise<string>
  /** Gives a file or folder to that user. */
  own(path: string): Promise<void>
}

type Identity = { uid: number; gid: number }

/** `program` is what must be executable, `folder` what must be reachable. Throws ConfigError naming DATA_DIR where they are not. */
export async function findLauncher(program: string, folder: string, cluster: string): Promise<Launcher> {
  if (process.getuid?.() !== 0) return { run: (file, args) => run(file, args, {}), own: async () => undefined }
  const identity = (await ownerOf(cluster)) ?? (await postgresUser())
  const own = (path: string) => chown(path, identity.uid, identity.gid)
  const test = ['-c', '"$0" --version >/dev/null && cd "$1"', program, folder]
  const plain: Launcher = { run: (file, args) => run(file, args, identity), own }
  if (await succeeds(plain.run('/bin/sh', test))) return plain
  // Folders above that only root may enter (/root, mktemp -d): keep the right to pass them, and nothing else of root's.
  const drop = [`--reuid=${identity.uid}`, `--regid=${identity.gid}`, '--clear-groups']
  const rights = ['bounding-set', 'inh-caps', 'ambient-caps'].map((set) => `--${set}=-all,+dac_override`)
  // Without the securebit, access(2), by which initdb looks for its neighbours, would not count that right.
  const keep = [...rights, '--securebits=+no_setuid_fixup', '--no-new-privs']
  const passing: Launcher = { run: (file, args) => run('setpriv', [...drop, ...keep, file, ...args], {}), own }
  if (await succeeds(passing.run('/bin/sh', test))) return passing
  throw new ConfigError(
    `DATA_DIR: PostgreSQL does not run as root, and user id ${identity.uid} cannot enter ${folder} or run ${program}; ` +
      'put the project and DATA_DIR into a folder that every user may enter, run as another user, or set DATABASE_URL',
  )
}

function run(program: string, args: readonly string[], identity: Partial<Identity>): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  // A process group of its own: Ctrl-C in the terminal is not for PostgreSQL.
  const cwd = process.platform === 'win32' ? undefined : '/'
  const child = spawn(program, args, { ...identity, cwd, detached: true, windowsHide: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const collect = (chunk: Buffer) => {
    output += chunk.toString()
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  child.on('error', reject)
  // Not 'close': a server that was started may keep the pipes open.
  child.on('exit', (code, signal) => {
    if (code === 0) resolve(output)
    else setImmediate(() => reject(new Error(`${program} ended with ${code ?? signal}: ${output.trim()}`)))
  })
  return promise
}

const succeeds = (attempt: Promise<unknown>): Promise<boolean> =>
  attempt.then(
    () => true,
    () => false,
  )

/** The cluster's owner, where there is a cluster that is not root's. */
async function ownerOf(cluster: string): Promise<Identity | undefined> {
  const found = await stat(cluster).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new ConfigError(`DATA_DIR: cannot use ${cluster}: ${error.message}`)
  })
  return found === undefined || found.uid === 0 ? undefined : { uid: found.uid, gid: found.gid }
}

async function postgresUser(): Promise<Identity> {
  const known = await userIds()
  if (known !== undefined) return known
  await exec('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']).catch((error: Error) => {
    throw new ConfigError(
      `DATA_DIR: PostgreSQL does not run as root, and the user postgres cannot be made: ${error.message.trim()}; set DATABASE_URL`,
    )
  })
  const made = await userIds()
  if (made === undefined) throw new Error('the user postgres was made, but cannot be found')
  return made
}

async function userIds(): Promise<Identity | undefined> {
  try {
    const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => Number((await exec('id', [flag, 'postgres'])).stdout)))
    return uid === undefined || gid === undefined ? undefined : { uid, gid }
  } catch {
    return undefined // `id` fails for one reason: there is no such user
  }
}

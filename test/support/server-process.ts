import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SECRET } from './app.ts'
import { childEnvironment } from './child-environment.ts'

/** A server as `npm start` runs it. */
export type ServerProcess = {
  url: string
  pid: number
  /** The ready-to-use token that it prints; null where it prints none. */
  token: string | null
  output(): string
  kill(signal: NodeJS.Signals): void
  /** The exit code, or the signal that ended it. */
  exited: Promise<number | NodeJS.Signals>
}

/** What a process that ended had to say. */
export type Ended = { code: number | NodeJS.Signals; stdout: string; stderr: string }

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const running = new Set<ServerProcess>()

/** Only what is given here is set: nothing of the environment that the tests run in. */
function launch(settings: Record<string, string>) {
  const env = { ...childEnvironment, HOME: process.env.HOME, LOG_LEVEL: 'warn', PORT: '0', ...settings }
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text
  })
  const exited = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  return { child, said, exited }
}

/** Starts src/main.ts on any free port with these environment variables; throws with its output where it does not come to listen. */
export async function startServer(settings: Record<string, string>): Promise<ServerProcess> {
  const { child, said, exited } = launch({ NODE_ENV: 'test', ...settings })
  const greeted = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => {
      const url = /^Parley listens on (\S+)\n/m.exec(said.stdout)?.[1]
      if (url !== undefined && (/^Simulate/m.test(said.stdout) || settings.NODE_ENV === 'production')) resolve(url)
    })
    void exited.then((code) => reject(new Error(`the server ended with ${code}: ${said.stdout}${said.stderr}`)))
  })
  const server: ServerProcess = {
    url: await greeted,
    pid: child.pid ?? 0,
    token: /^Token: +(\S+)$/m.exec(said.stdout)?.[1] ?? null,
    output: () => said.stdout + said.stderr,
    kill: (signal) => void child.kill(signal),
    exited,
  }
  running.add(server)
  void exited.then(() => running.delete(server))
  return server
}

/** Runs src/main.ts where it does not come to listen: it refuses to start, or `meanwhile` ends it. */
export async function refusedStart(settings: Record<string, string>, meanwhile?: (child: ChildProcess) => Promise<void>): Promise<Ended> {
  const { child, said, exited } = launch(settings)
  await meanwhile?.(child)
  const late = setTimeout(() => child.kill('SIGTERM'), 20_000)
  const code = await exited
  clearTimeout(late)
  return { code, ...said }
}

/** For afterAll: ends what a failed test has left running, and waits for it. */
export async function endServers(): Promise<void> {
  for (const server of running) server.kill('SIGTERM')
  await Promise.all([...running].map(({ exited }) => exited))
}

/** A DATA_DIR of its own, and what removes it. */
export async function dataDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'parley-test-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** As `startTestApp` has them, so that processes and apps on one database understand each other. */
export const SHARED_SETTINGS = {
  AUTH_JWT_SECRET: SECRET,
  ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  POLL_SECONDS: '1',
} satisfies Record<string, string>

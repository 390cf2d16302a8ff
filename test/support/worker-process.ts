import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SECRET, type TestApp } from './app.ts'
import { childEnvironment } from './child-environment.ts'
import { eventually } from './eventually.ts'

export type WorkerProcess = {
  /** What it has printed so far. */
  output(): string
  /** Sends the signal and waits for the end. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  signal(signal: 'SIGTERM'): void
  /** To a script that listens. */
  tell(message: object): void
}

/** Of a worker in a process of its own beside the server of this one, which finds the jobs of dead workers after a second. */
export const settingsBeside = ({ app, fake }: { app: TestApp; fake: { url: string } }): Record<string, string> => ({
  DATABASE_URL: app.databaseUrl,
  PUBLIC_URL: app.url,
  TWILIO_API_URL: fake.url,
  ENCRYPTION_KEY: app.deps.config.ENCRYPTION_KEY.map((key) => key.toString('base64')).join(),
  STALE_JOB_SECONDS: '1',
  SHUTDOWN_SECONDS: '1',
})

/** `node src/main.ts`, or another script, with WORKER=only, ready to work. `settings` need DATABASE_URL, ENCRYPTION_KEY and PUBLIC_URL of the server beside it. */
export async function startWorkerProcess(
  settings: Record<string, string>,
  { script = 'src/main.ts', ready = 'listens on' } = {},
): Promise<WorkerProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-test-'))
  const child = spawn(process.execPath, [script], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...childEnvironment,
      NODE_ENV: 'test',
      WORKER: 'only',
      PORT: '0',
      DATA_DIR: dataDir,
      AUTH_JWT_SECRET: SECRET,
      LOG_LEVEL: 'warn',
      POLL_SECONDS: '1',
      ...settings,
    },
  })
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  await eventually(() => {
    if (!output.includes(ready)) throw new Error(`the worker does not run (exit code ${child.exitCode}): ${output}`)
  })
  return {
    output: () => output,
    signal: (signal) => void child.kill(signal),
    // It may be killed this very moment.
    tell: (message) => void (child.connected && child.send(message, () => undefined)),
    async end(signal) {
      child.kill(signal)
      const [code, by] = await exited
      await rm(dataDir, { recursive: true, force: true })
      return { code, signal: by }
    },
  }
}

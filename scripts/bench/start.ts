import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { median, type Row } from './measure.ts'
import type { CleanUp } from './world.ts'

const IDLE_SECONDS = 5

type Started = { seconds: number; memory: number }

/** `npm start` with its embedded PostgreSQL, on a data folder that an earlier start has made: from the command to ready, and then at rest. */
export async function startRow({ rounds }: { rounds: number }, cleanUps: CleanUp[]): Promise<Row> {
  process.stderr.write('  measuring: npm start\n')
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-start-'))
  cleanUps.push(() => rm(folder, { recursive: true, force: true }))
  await startOnce(folder, 0, cleanUps)
  const starts: Started[] = []
  for (let round = 0; round < rounds; round++) starts.push(await startOnce(folder, IDLE_SECONDS, cleanUps))
  const none = { perSecond: Number.NaN, cpu: Number.NaN, p50: Number.NaN, p99: Number.NaN, statements: Number.NaN }
  const memory = median(starts.map((started) => started.memory))
  const also = { 's to ready': median(starts.map(({ seconds }) => seconds)) }
  return { unit: '', entries: [{ name: 'npm start, warm, then idle', numbers: { ...none, memory, also }, percent: null }] }
}

async function startOnce(folder: string, idleSeconds: number, cleanUps: CleanUp[]): Promise<Started> {
  const start = performance.now()
  // Its own group, because npm does not pass on every signal.
  const npm = spawn('npm', ['start'], {
    env: { ...process.env, PORT: '0', DATA_DIR: folder, LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const exited = once(npm, 'exit')
  const end = async () => {
    if (npm.exitCode === null && npm.signalCode === null && npm.pid !== undefined) process.kill(-npm.pid, 'SIGINT')
    await exited
  }
  cleanUps.push(end)
  const { promise, resolve, reject } = Promise.withResolvers<{ url: string; seconds: number }>()
  npm.once('exit', (code) => reject(new Error(`npm start ended with ${code}`)))
  createInterface({ input: npm.stdout }).on('line', (line) => {
    const url = /^Parley listens on (.*)$/.exec(line)?.[1]
    if (url !== undefined) resolve({ url, seconds: (performance.now() - start) / 1000 })
  })
  const { url, seconds } = await promise
  const ready = await fetch(`${url}/health/ready`)
  if (!ready.ok) throw new Error(`npm start: /health/ready answers ${ready.status}`)
  await sleep(idleSeconds * 1000)
  const metrics = await (await fetch(`${url}/metrics`)).text()
  const memory = Number(/^process_resident_memory_bytes (\d+)$/m.exec(metrics)?.[1]) / 1e6
  await end()
  cleanUps.splice(cleanUps.indexOf(end), 1)
  return { seconds, memory }
}

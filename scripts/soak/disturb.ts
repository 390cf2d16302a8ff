import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from './graph.ts'
import type { Outage } from './outages.ts'
import type { Parley } from './parley.ts'
import type { World } from './world.ts'

/** How long Redis and PostgreSQL are away. */
const AWAY_MS = 3_000
const PATIENCE_MS = 60_000
const KILL_EVERY_MS = 60_000
/** Parts of the whole time. */
const REDIS_AT = 0.4
const POSTGRES_AT = 0.6

type Step = { at: number; what: Outage['what'] }

/**
 * Kills the second worker every minute (the first one's memory is watched), and restarts Redis and PostgreSQL once each. Where it takes long
 * until all is ready again, the restarts come late, and kills whose time is over do not.
 */
export async function disturb(world: World, totalMs: number): Promise<void> {
  const start = Date.now()
  const kills = Array.from({ length: Math.floor(totalMs / KILL_EVERY_MS) }, (_, index) => (index + 0.5) * KILL_EVERY_MS)
  const steps: Step[] = [
    ...kills.map((at) => ({ at, what: 'worker' as const })),
    { at: REDIS_AT * totalMs, what: 'Redis' as const },
    { at: POSTGRES_AT * totalMs, what: 'PostgreSQL' as const },
  ].sort((a, b) => a.at - b.at)
  for (const { at, what } of steps) {
    await sleep(Math.max(0, start + at - Date.now()))
    if (what === 'worker' && Date.now() > start + totalMs) continue
    process.stderr.write(`  ${what === 'worker' ? 'killing a worker' : `restarting ${what}`}\n`)
    const outage = world.outages.begin(what)
    await takeAway[what](world, outage)
    outage.unready = await unready(world)
    if (outage.unready.length === 0) outage.ready = Date.now()
  }
}

const takeAway: Record<Outage['what'], (world: World, outage: Outage) => Promise<void>> = {
  async worker({ workers, startWorker }, outage) {
    const [, victim] = workers
    if (victim === undefined) throw new Error('there is no second worker')
    await victim.end('SIGKILL')
    workers[1] = await startWorker(victim.name)
    outage.back = Date.now()
  },
  async Redis({ redis }, outage) {
    await redis.stop()
    await sleep(AWAY_MS)
    await redis.start()
    outage.back = Date.now()
  },
  async PostgreSQL({ postgres }, outage) {
    await postgres.stop()
    await sleep(AWAY_MS)
    await postgres.start()
    outage.back = Date.now()
  },
}

/** What is wrong with the processes that are not ready within PATIENCE_MS. */
async function unready({ webs, workers }: World): Promise<string[]> {
  const waiting = new Map([...webs, ...workers].map((parley) => [parley, 'not asked']))
  for (const end = Date.now() + PATIENCE_MS; waiting.size > 0 && Date.now() < end; await sleep(100)) {
    for (const parley of waiting.keys()) {
      const problem = await problemOf(parley)
      if (problem === null) waiting.delete(parley)
      else waiting.set(parley, problem)
    }
  }
  return [...waiting].map(([{ name }, problem]) => `${name} (${problem})`)
}

/** null: it is ready, and has Redis. */
async function problemOf({ port }: Parley): Promise<string | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(5_000) })
    const { parts } = (await response.json()) as { parts: { bus: string } }
    return response.ok && parts.bus === 'ok' ? null : JSON.stringify(parts)
  } catch (error) {
    return reasonOf(error)
  }
}

import { readFile } from 'node:fs/promises'
import type { Postgres } from './postgres.ts'
import type { World } from './world.ts'

export type Sample = { at: number; value: number }

/** Megabytes: of each long-lived process its resident memory, of PostgreSQL the private memory of the product's connections. And their number. */
export type Memory = { megabytes: Map<string, Sample[]>; connections: Sample[]; stop(): void }

export const BACKENDS = 'PostgreSQL, all connections'

const EVERY_MS = 5_000
/** PostgreSQL's shared memory makes its processes slow to look at. */
const BACKENDS_EVERY = 3

/** Samples until it is stopped; where there is no /proc, nothing. */
export function watchMemory({ webs, workers, postgres }: World): Memory {
  const megabytes = new Map<string, Sample[]>()
  const connections: Sample[] = []
  const add = (name: string, value: number) => {
    const samples = megabytes.get(name) ?? []
    megabytes.set(name, samples)
    samples.push({ at: Date.now(), value })
  }
  let turn = 0
  const sample = async () => {
    // The second worker is killed now and then.
    for (const { name, pid } of [...webs, ...workers.slice(0, 1)]) add(name, await field(pid, 'status', 'VmRSS'))
    turn += 1
    const pids = turn % BACKENDS_EVERY === 0 ? await backends(postgres) : null
    if (pids === null) return
    connections.push({ at: Date.now(), value: pids.length })
    const each = await Promise.all(pids.map((pid) => field(pid, 'smaps_rollup', 'Private_Dirty')))
    add(
      BACKENDS,
      each.reduce((sum, one) => sum + one, 0),
    )
  }
  const timer = process.platform === 'linux' ? setInterval(() => void sample(), EVERY_MS) : undefined
  return { megabytes, connections, stop: () => clearInterval(timer) }
}

/** null while PostgreSQL is away. */
async function backends({ pool }: Postgres): Promise<number[] | null> {
  try {
    const { rows } = await pool.query<{ pid: number }>(`SELECT pid FROM pg_stat_activity WHERE application_name = 'parley'`)
    return rows.map(({ pid }) => pid)
  } catch {
    return null
  }
}

/** Of /proc, in megabytes; 0 where the process has just ended. */
async function field(pid: number, file: string, name: string): Promise<number> {
  const text = await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024
}

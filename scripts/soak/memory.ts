import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { collectGarbage } from './collect-garbage.ts'
import type { Parley } from './parley.ts'
import type { Postgres } from './postgres.ts'
import type { World } from './world.ts'

export type Sample = { at: number; value: number }

/**
 * Megabytes: of each long-lived process its resident memory when its garbage has been collected, of PostgreSQL the private memory of the
 * product's connections. `peaks`: resident, of each process. And how many connections there were.
 */
export type Memory = { megabytes: Map<string, Sample[]>; peaks: Map<string, number>; connections: Sample[] }

/** So many in a quarter, that a median means something and that the pauses for garbage do not count. */
const SAMPLES = 16

/** Samples until `signal` is aborted; where there is no /proc, nothing. */
export async function watchMemory({ webs, workers, postgres }: World, totalMs: number, signal: AbortSignal): Promise<Memory> {
  const memory: Memory = { megabytes: new Map(), peaks: new Map(), connections: [] }
  if (process.platform !== 'linux') return memory
  // The second worker is killed now and then.
  const longLived = [...webs, ...workers.slice(0, 1)]
  for (;;) {
    await sleep(totalMs / SAMPLES, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return memory
    for (const parley of longLived) await sampleProcess(memory, parley)
    await sampleConnections(memory, postgres)
  }
}

async function sampleProcess(memory: Memory, { name, pid, inspector }: Parley): Promise<void> {
  try {
    await collectGarbage(inspector)
  } catch {
    // It has not answered in time, or has ended; the judge of processes tells the latter.
    return
  }
  add(memory, name, await field(pid, 'status', 'VmRSS'))
  memory.peaks.set(name, await field(pid, 'status', 'VmHWM'))
}

async function sampleConnections(memory: Memory, { pool }: Postgres): Promise<void> {
  let pids: number[]
  try {
    const { rows } = await pool.query<{ pid: number }>(`SELECT pid FROM pg_stat_activity WHERE application_name = 'parley'`)
    pids = rows.map(({ pid }) => pid)
  } catch {
    // It is being restarted.
    return
  }
  memory.connections.push({ at: Date.now(), value: pids.length })
  const each = await Promise.all(pids.map((pid) => field(pid, 'smaps_rollup', 'Private_Dirty')))
  const sum = each.reduce((total, one) => total + one, 0)
  add(memory, 'PostgreSQL, all connections', sum)
}

function add({ megabytes }: Memory, name: string, value: number): void {
  const samples = megabytes.get(name) ?? []
  megabytes.set(name, samples)
  samples.push({ at: Date.now(), value })
}

/** Of /proc, in megabytes; 0 where the process has just ended. */
async function field(pid: number, file: string, name: string): Promise<number> {
  const text = await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024
}

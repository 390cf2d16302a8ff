import { setTimeout as sleep } from 'node:timers/promises'
import { behind, heads } from './judge-live.ts'
import type { Load } from './load.ts'
import type { Sockets } from './sockets.ts'
import type { Verdict } from './verdict.ts'
import type { World } from './world.ts'

/** A dead worker's jobs are given back within 80 seconds, and what the provider put off waits some more. */
const PATIENCE_MS = 240_000

type Job = { task: string; n: number; error: string | null }

/** Waits until the jobs are done, the receipts are posted, and the sockets have got everything. What is left is told. */
export async function drain(world: World, { reporting }: Load, sockets: Sockets): Promise<Verdict> {
  const start = Date.now()
  await sockets.settle()
  let left = await jobs(world)
  for (; left.length + reporting.size > 0 && Date.now() - start < PATIENCE_MS; left = await jobs(world)) await sleep(500)
  const jobsSeconds = (Date.now() - start) / 1000
  const caughtUp = async () => {
    const status = await sockets.status()
    return status.open === status.sockets && behind(status, world.organizations, await heads(world.postgres.pool)).length === 0
  }
  while (!(await caughtUp()) && Date.now() - start < PATIENCE_MS) await sleep(500)
  return {
    promise: 'All that was begun ends',
    numbers: [`after the load: jobs and receipts ${jobsSeconds.toFixed(0)} s, sockets ${((Date.now() - start) / 1000).toFixed(0)} s`],
    broken: [
      ...left.map(({ task, n, error }) => `${n} jobs of ${task} are left: ${error ?? 'not tried'}`),
      ...(reporting.size === 0 ? [] : [`${reporting.size} receipts were not acknowledged`]),
    ],
  }
}

async function jobs({ postgres }: World): Promise<Job[]> {
  const { rows } = await postgres.pool.query<Job>(
    `SELECT task_identifier AS task, count(*)::int AS n, max(last_error) AS error FROM graphile_worker.jobs GROUP BY 1`,
  )
  return rows
}

import type { Client, Server } from './children.ts'
import type { ClientTask } from './client-process.ts'
import { cpuSeconds } from './cpu.ts'
import type { LoadResult } from './http-load.ts'

/** One of the two that are compared. `task` is made anew for each measurement. */
export type Contender = { server: Server; task: (seconds: number) => ClientTask | Promise<ClientTask> }

/** `perSecond`, `cpu` (seconds of the server process for 1000) and `p99` (ms) are medians of the rounds. */
export type Numbers = { perSecond: number; cpu: number; p99: number }

export type Row = { name: string; unit: string; product: Numbers; floor: Numbers; percent: number }

export type Pair = { name: string; unit: string; product: Contender; floor: Contender }

/** Both in turn, each round in the other order, after a warm-up that does not count. `percent` is the median of the rounds' ratios. */
export async function compare(client: Client, pair: Pair, options: { rounds: number; seconds: number }): Promise<Row> {
  const warmUp = Math.min(3, options.seconds)
  for (const contender of [pair.product, pair.floor]) await measure(client, contender, warmUp)
  const rounds: { product: Numbers; floor: Numbers }[] = []
  for (let round = 0; round < options.rounds; round++) {
    const floorFirst = round % 2 === 1 ? await measure(client, pair.floor, options.seconds) : null
    const product = await measure(client, pair.product, options.seconds)
    rounds.push({ product, floor: floorFirst ?? (await measure(client, pair.floor, options.seconds)) })
  }
  return {
    name: pair.name,
    unit: pair.unit,
    product: medians(rounds.map(({ product }) => product)),
    floor: medians(rounds.map(({ floor }) => floor)),
    percent: median(rounds.map(({ product, floor }) => (100 * product.perSecond) / floor.perSecond)),
  }
}

async function measure(client: Client, { server, task }: Contender, seconds: number): Promise<Numbers> {
  const prepared = await task(seconds)
  const before = cpuSeconds(server.pid)
  const result = await client.run<LoadResult>(prepared)
  const used = cpuSeconds(server.pid) - before
  return { perSecond: result.done / result.seconds, cpu: (used / result.done) * 1000, p99: result.p99 }
}

const medians = (all: Numbers[]): Numbers => ({
  perSecond: median(all.map(({ perSecond }) => perSecond)),
  cpu: median(all.map(({ cpu }) => cpu)),
  p99: median(all.map(({ p99 }) => p99)),
})

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const high = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? Number.NaN)) / 2
}

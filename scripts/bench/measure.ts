import type { Server } from './children.ts'
import type { ClientTask } from './client-process.ts'
import type { LoadResult } from './http-load.ts'
import { cpuSeconds, residentMegabytes } from './process-usage.ts'
import type { World } from './world.ts'

/** One of those that are compared. `task` is made anew for each measurement. */
export type Contender = { server: Server; task: (seconds: number) => ClientTask | Promise<ClientTask> }

/**
 * Medians of the rounds. `cpu`: seconds of the server process for 1000; `p50`, `p99`: ms; `statements`: SQL statements for one; `memory`: of
 * the server process, MB. What was not measured is NaN.
 */
export type Numbers = { perSecond: number; cpu: number; p50: number; p99: number; statements: number; memory: number }

/** `also`: further numbers by their unit, e.g. `{ 'KB a connection': 9.8 }`. */
export type Measured = Numbers & { also: Record<string, number> }

/** `percent`: of the floor's rate, the median of the rounds' ratios; null: there is no floor, or this is it. */
export type Entry = { name: string; numbers: Measured; percent: number | null }

/** What makes one block of the table: the path, then what stands beside it. */
export type Row = { unit: string; entries: Entry[] }

/** `also`: others in the same rounds, with their names. `floor: null`: nothing to compare with. `floorName`: if it is not a hand-written floor. */
export type Pair = {
  name: string
  unit: string
  product: Contender
  floor: Contender | null
  floorName?: string
  also?: { name: string; contender: Contender }[]
}

/** All in turn, every other round in the other order, after a warm-up that does not count. */
export async function compare(world: World, pair: Pair, options: { rounds: number; seconds: number }): Promise<Row> {
  const contenders = [
    { name: pair.name, contender: pair.product },
    ...(pair.also ?? []),
    ...(pair.floor === null ? [] : [{ name: pair.floorName ?? 'its floor', contender: pair.floor }]),
  ]
  const results = contenders.map(({ name, contender }) => ({ name, contender, rounds: [] as Measured[] }))
  for (const { contender } of results) await measure(world, contender, Math.min(3, options.seconds))
  for (let round = 0; round < options.rounds; round++) {
    for (const result of round % 2 === 0 ? results : results.toReversed()) {
      result.rounds.push(await measure(world, result.contender, options.seconds))
    }
  }
  const floor = pair.floor === null ? undefined : results.at(-1)
  const entries = results.map(({ name, rounds }) => ({
    name,
    numbers: medians(rounds),
    percent: floor === undefined || rounds === floor.rounds ? null : percentOf(rounds, floor.rounds),
  }))
  return { unit: pair.unit, entries }
}

const percentOf = (rounds: Measured[], floor: Measured[]): number =>
  median(rounds.map(({ perSecond }, round) => (100 * perSecond) / (floor[round]?.perSecond ?? Number.NaN)))

/** One measurement, as its rates. */
export async function measure(world: World, { server, task }: Contender, seconds: number): Promise<Measured> {
  const prepared = await task(seconds)
  const statements = await world.statements()
  const cpu = cpuSeconds(server.pid)
  const { done, seconds: taken, p50 = Number.NaN, p99, also = {} } = await world.client.run<LoadResult>(prepared)
  return {
    perSecond: done / taken,
    cpu: ((cpuSeconds(server.pid) - cpu) / done) * 1000,
    p50,
    p99,
    statements: ((await world.statements()) - statements) / done,
    memory: residentMegabytes(server.pid),
    also,
  }
}

function medians(rounds: Measured[]): Measured {
  const of = (number: (measured: Measured) => number) => median(rounds.map(number))
  return {
    perSecond: of(({ perSecond }) => perSecond),
    cpu: of(({ cpu }) => cpu),
    p50: of(({ p50 }) => p50),
    p99: of(({ p99 }) => p99),
    statements: of(({ statements }) => statements),
    memory: of(({ memory }) => memory),
    also: Object.fromEntries(Object.keys(rounds[0]?.also ?? {}).map((unit) => [unit, of(({ also }) => also[unit] ?? Number.NaN)])),
  }
}

/** The middle one, or what is between the two in the middle. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const high = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? Number.NaN)) / 2
}

import { growthPairs } from './growth.ts'
import { webhookPairs } from './inbound.ts'
import { liveRows } from './live.ts'
import { compare, type Pair, type Row } from './measure.ts'
import { type Options, readOptions } from './options.ts'
import { sendPairs } from './outbound.ts'
import { profile } from './profile.ts'
import { deepPair, readPair, reads } from './reads.ts'
import { startRow } from './start.ts'
import { machine, table } from './table.ts'
import { type CleanUp, openWorld, type World } from './world.ts'

/** What is compared under load, or a row that measures itself. */
type Scenario = (world: World, options: Options) => Promise<(Pair | (() => Promise<Row>))[]>

const scenarios: Record<string, Scenario> = {
  inbox: async (world) => [await readPair(world, reads.inbox)],
  thread: async (world) => [await readPair(world, reads.thread)],
  customer: async (world) => [await readPair(world, reads.customer)],
  queue: async (world) => [await readPair(world, reads.queue)],
  stats: async (world) => [await readPair(world, reads.stats)],
  deep: async (world) => [await deepPair(world)],
  webhook: async (world) => webhookPairs(world),
  send: (world, options) => sendPairs(world, options, cleanUps),
  live: async (world, options) => liveRows(world, options, cleanUps),
  growth: growthPairs,
  start: async (_world, options) => [() => startRow(options, cleanUps)],
}

const cleanUps: CleanUp[] = []
let interrupted = false

async function cleanUp(): Promise<void> {
  for (const end of cleanUps.splice(0).reverse()) await end().catch((error: Error) => console.error(error.message))
}

async function run(options: Options): Promise<void> {
  const conditions = machine()
  const world = await openWorld(options, cleanUps)
  const rows: Row[] = []
  for (const name of options.only) {
    for (const work of (await scenarios[name]?.(world, options)) ?? []) {
      if (typeof work !== 'function') process.stderr.write(`  measuring: ${work.name}\n`)
      if (typeof work === 'function') rows.push(await work())
      else if (options.profile === null) rows.push(await compare(world, work, options))
      else console.log(`\n${await profile(world, work, options.seconds)}`)
    }
  }
  if (rows.length === 0) return
  console.log(`\n${conditions}, ${world.facts.join('; ')}; ${options.rounds} rounds of ${options.seconds} s, medians.`)
  console.log('Client, server and PostgreSQL share this machine, and machines are noisy: trust ratios, not rates; under 20 % is a tie.\n')
  console.log(table(rows))
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interrupted) return
    interrupted = true
    void cleanUp().then(() => process.exit(130))
  })
}

try {
  const options = readOptions(Object.keys(scenarios))
  if (options !== null) await run(options)
} catch (error) {
  if (!interrupted) {
    process.stderr.write(`bench: ${(error as Error).message}\n`)
    process.exitCode = 1
  }
}
if (!interrupted) await cleanUp()

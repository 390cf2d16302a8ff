import { compare, type Pair, type Row } from './measure.ts'
import { type Options, readOptions, type ScenarioName } from './options.ts'
import { inboxPair, threadPair } from './reads.ts'
import { machine, table } from './table.ts'
import { type CleanUp, openWorld, type World } from './world.ts'
import { livePair, webhookPair } from './writes.ts'

const scenarios: Record<ScenarioName, (world: World) => Promise<Pair[]>> = {
  inbox: async (world) => [await inboxPair(world)],
  thread: async (world) => [await threadPair(world)],
  webhook: async (world) => [webhookPair(world, 1), webhookPair(world, 16)],
  live: async (world) => [await livePair(world)],
}

const cleanUps: CleanUp[] = []
let interrupted = false

async function cleanUp(): Promise<void> {
  for (const end of cleanUps.splice(0).reverse()) await end().catch((error: Error) => console.error(error.message))
}

async function run(options: Options): Promise<void> {
  const world = await openWorld(options, cleanUps)
  const rows: Row[] = []
  for (const name of options.only) {
    for (const pair of await scenarios[name](world)) {
      process.stderr.write(`  measuring: ${pair.name}\n`)
      rows.push(await compare(world.client, pair, options))
    }
  }
  console.log(`\n${machine()}, ${world.facts.join('; ')}; ${options.rounds} rounds of ${options.seconds} s, medians.`)
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
  const options = readOptions()
  if (options !== null) await run(options)
} catch (error) {
  if (!interrupted) {
    process.stderr.write(`bench: ${(error as Error).message}\n`)
    process.exitCode = 1
  }
}
if (!interrupted) await cleanUp()

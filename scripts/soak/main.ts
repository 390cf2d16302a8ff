import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { disturb } from './disturb.ts'
import { drain } from './drain.ts'
import { judgeCounters } from './judge-counters.ts'
import { judgeInbound } from './judge-inbound.ts'
import { judgeLive } from './judge-live.ts'
import { judgeMemory } from './judge-memory.ts'
import { judgeDelivery, judgeNotes, judgeSends } from './judge-outbound.ts'
import { judgeAnswers, judgeLogs, judgeOutages, watchEnds } from './judge-running.ts'
import { createLoad, type Load } from './load.ts'
import { watchMemory } from './memory.ts'
import { type Options, readOptions } from './options.ts'
import { startProvider } from './provider.ts'
import { createRandom } from './random.ts'
import { report } from './report.ts'
import { startSockets } from './sockets.ts'
import { createPost } from './webhooks.ts'
import { type CleanUp, openWorld } from './world.ts'

const cleanUps: CleanUp[] = []
let interrupted = false
/** What is being started can be ended when it has been. */
let opening: Promise<unknown> = Promise.resolve()

const say = (line: string) => process.stderr.write(`  ${line}\n`)

async function cleanUp(): Promise<void> {
  for (const end of cleanUps.splice(0).reverse()) await end().catch((error: Error) => console.error(error.message))
}

/** False where a promise was broken. */
async function run(options: Options): Promise<boolean> {
  const random = createRandom(options.seed)
  const ports: number[] = []
  const post = createPost(ports, random)
  // The provider has an address before there is a product, and posts what it accepts to the product.
  let load: Load | undefined
  const provider = await startProvider(random, (message) => load?.accepted(provider, message))
  cleanUps.push(provider.close)
  say('starting PostgreSQL, Redis, two web processes and two workers')
  const opened = openWorld(options, provider.url, cleanUps)
  opening = opened
  const world = await opened
  const { postgres, organizations, outages, webs, workers } = world
  ports.push(...webs.map(({ port }) => port))
  const ends = watchEnds([...webs, ...workers.slice(0, 1)])
  load = createLoad({ options, random, ports, post, outages, organizations })
  const sockets = await startSockets(options.sockets, organizations, webs, options.seed)
  cleanUps.push(sockets.end)

  const start = Date.now()
  const totalMs = options.minutes * 60_000
  const over = new AbortController()
  const watching = watchMemory(world, totalMs, over.signal)
  say(`load for ${options.minutes} minutes`)
  const loading = load.run(over.signal)
  const disturbed = Promise.all([disturb(world, totalMs), sleep(totalMs)])
  // The load ends by itself only where it fails.
  await Promise.race([disturbed, loading]).finally(() => over.abort())
  await loading
  const memory = await watching
  const seconds = (Date.now() - start) / 1000

  say('waiting for what was begun')
  const drained = await drain(world, load, sockets)
  say('judging')
  const { pool } = postgres
  const verdicts = [
    await judgeInbound(pool, load.inbound),
    await judgeSends(pool, load.sends),
    ...(await judgeDelivery(pool, provider, outages)),
    await judgeNotes(pool, load.notes),
    await judgeCounters(pool, organizations, load.ask, load.tallies.reads),
    await judgeLive(pool, await sockets.status(), organizations),
    drained,
    judgeAnswers(load),
    judgeMemory(memory, options.minutes),
    judgeOutages(world),
    ends(),
    judgeLogs(world),
  ]
  const text = report({ options, seconds, load, outages: outages.list, start, verdicts })
  console.log(text)
  if (options.report !== null) await writeFile(options.report, text)
  return verdicts.every(({ broken }) => broken.length === 0)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interrupted) return
    interrupted = true
    void Promise.allSettled([opening])
      .then(cleanUp)
      .then(() => process.exit(130))
  })
}

try {
  const options = readOptions()
  if (options !== null && !(await run(options))) process.exitCode = 1
} catch (error) {
  if (!interrupted) {
    process.stderr.write(`soak: ${(error as Error).message}\n`)
    process.exitCode = 1
  }
}
if (!interrupted) {
  await cleanUp()
  // After a failure there are clients left that would try for ever.
  process.exit()
}

import { mkdir, writeFile } from 'node:fs/promises'
import type { Profiler } from 'node:inspector'
import { join, resolve } from 'node:path'
import { flameGraph, isWork } from './flame-graph.ts'
import { measure, type Pair } from './measure.ts'
import type { World } from './world.ts'

const FOLDER = resolve('.data/profiles')

/** The server's CPU while it does what is measured, after a warm-up: two files, whose paths are told with where the time goes. */
export async function profile(world: World, pair: Pair, seconds: number): Promise<string> {
  const { profiler } = pair.product.server
  if (profiler === undefined) throw new Error(`--profile: there is no server of ours to be profiled in "${pair.name}"`)
  await measure(world, pair.product, Math.min(3, seconds))
  await profiler.start()
  const { perSecond } = await measure(world, pair.product, seconds)
  const taken = await profiler.stop()
  await mkdir(FOLDER, { recursive: true })
  const file = join(FOLDER, pair.name.replaceAll(/[^\w]+/g, '-'))
  await writeFile(`${file}.cpuprofile`, JSON.stringify(taken))
  await writeFile(`${file}.svg`, flameGraph(taken, `${pair.name}: ${perSecond.toFixed(0)} ${pair.unit} while profiled`))
  return `${pair.name}\n${whereTimeGoes(taken)}\n  ${file}.svg\n  ${file}.cpuprofile`
}

/** The work's self time by what the code belongs to, most first. */
function whereTimeGoes({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): string {
  const owners = new Map(nodes.filter(({ callFrame }) => isWork(callFrame)).map(({ id, callFrame }) => [id, ownerOf(callFrame)]))
  const times = new Map<string, number>()
  for (const [index, id] of samples.entries()) {
    const owner = owners.get(id)
    if (owner !== undefined) times.set(owner, (times.get(owner) ?? 0) + (timeDeltas[index] ?? 0))
  }
  const total = [...times.values()].reduce((sum, time) => sum + time, 0)
  return [...times]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 12)
    .map(([owner, time]) => `${((100 * time) / total).toFixed(1).padStart(6)} %  ${owner}`)
    .join('\n')
}

/** A package, a folder of ours, a module of Node, or V8's own names such as (garbage collector). */
function ownerOf({ url, functionName }: { url: string; functionName: string }): string {
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  if (inPackage !== undefined) return inPackage
  if (url.startsWith('node:')) return url
  const own = /\/((?:src|schema)\/.*)$/.exec(url)?.[1]
  if (own !== undefined) return own
  return functionName.startsWith('(') ? functionName : `${functionName || '(anonymous)'} (native)`
}

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Profiler as Inspected } from 'node:inspector'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** `profiler`: only where the server was started for it. */
export type Server = { port: number; pid: number; stop(): Promise<void>; profiler?: Profiler }

export type Profiler = { start(): Promise<void>; stop(): Promise<Inspected.Profile> }

const LISTENS = /^Parley listens on http:\/\/[^ ]+:(\d+)$/

/** The real server, as `npm start` runs it. Its log goes to our stderr. */
export async function startProduct(env: Record<string, string>, profiled = false): Promise<Server> {
  const hook = profiled ? ['--import', new URL('profiled-process.ts', import.meta.url).href] : []
  const child = spawn(process.execPath, [...hook, 'src/main.ts'], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const output = child.stdout as Readable
  for await (const line of createInterface({ input: output })) {
    const port = LISTENS.exec(line)?.[1]
    if (port === undefined) continue
    output.pipe(process.stderr, { end: false })
    const server = { port: Number(port), pid: pidOf(child), stop: () => end(child) }
    return profiled ? { ...server, profiler: profilerOf(child) } : server
  }
  throw new Error('the server did not start')
}

const profilerOf = (child: ChildProcess): Profiler => ({
  start: () => ask(child, 'start'),
  stop: () => ask(child, 'stop'),
})

/** The hand-written floors in a process of their own. */
export const startFloor = (databaseUrl: string, organizationId: string): Promise<Server> =>
  startForked('floor-process.ts', [databaseUrl, organizationId])

/** A server of the benchmark's own, in a process that tells its port when it listens. */
export async function startForked(file: string, args: string[]): Promise<Server> {
  const child = fork(new URL(file, import.meta.url), args, { env: { NODE_ENV: 'production', GRAPHILE_ENV: 'production' } })
  const port = await reply<number>(child)
  return { port, pid: pidOf(child), stop: () => end(child) }
}

export type Client = { run<Result>(task: object): Promise<Result>; stop(): Promise<void> }

/** Load comes from a process of its own, so that it is not in the server's numbers. */
export function startClient(): Client {
  const child = fork(new URL('client-process.ts', import.meta.url))
  return {
    run: (task) => ask(child, task),
    stop: () => end(child),
  }
}

function ask<Result>(child: ChildProcess, order: object | string): Promise<Result> {
  child.send(order)
  return reply(child)
}

async function reply<Result>(child: ChildProcess): Promise<Result> {
  const ended = new AbortController()
  const exit = once(child, 'exit', { signal: ended.signal }).then(([code]) => {
    throw new Error(`a process of the benchmark ended with ${code}`)
  })
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal: ended.signal }), exit])) as [{ error?: string; result: Result }]
    if (message.error !== undefined) throw new Error(message.error)
    return message.result
  } finally {
    ended.abort()
    exit.catch(() => {})
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const impatient = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await exited
  clearTimeout(impatient)
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('a process of the benchmark could not be started')
  return child.pid
}

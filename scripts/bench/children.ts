import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export type Server = { port: number; pid: number; stop(): Promise<void> }

const LISTENS = /^Parley listens on http:\/\/[^ ]+:(\d+)$/

/** The real server, as `npm start` runs it. Its log goes to our stderr. */
export async function startProduct(env: Record<string, string>, flags: string[]): Promise<Server> {
  const child = spawn(process.execPath, [...flags, 'src/main.ts'], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const port = LISTENS.exec(line)?.[1]
    if (port === undefined) continue
    child.stdout.pipe(process.stderr, { end: false })
    return { port: Number(port), pid: pidOf(child), stop: () => end(child) }
  }
  throw new Error('the server did not start')
}

/** The hand-written floors in a process of their own. */
export async function startFloor(databaseUrl: string, organizationId: string): Promise<Server> {
  const child = fork(new URL('floor-process.ts', import.meta.url), [databaseUrl, organizationId], { env: { NODE_ENV: 'production' } })
  const port = await reply<number>(child)
  return { port, pid: pidOf(child), stop: () => end(child) }
}

export type Client = { run<Result>(task: object): Promise<Result>; stop(): Promise<void> }

/** Load comes from a process of its own, so that it is not in the server's numbers. */
export function startClient(): Client {
  const child = fork(new URL('client-process.ts', import.meta.url))
  return {
    run(task) {
      child.send(task)
      return reply(child)
    },
    stop: () => end(child),
  }
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

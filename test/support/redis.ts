import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** False where there is no redis-server to run: `describe.skipIf(!redisIsThere)`; `npm test` says how to get one. */
export const redisIsThere = spawnSync('redis-server', ['--version']).status === 0

export type TestRedis = {
  url: string
  /** Ends the server; `start` brings it back, empty, on the same port. */
  stop(): Promise<void>
  start(): Promise<void>
  /** The server keeps its connections and answers nobody, until `resume`. */
  pause(): void
  resume(): void
}

/** A real redis-server of its own on a free port, without a file on disk. */
export async function startRedis(): Promise<TestRedis> {
  const port = await freePort()
  let server: ChildProcess | undefined
  const redis: TestRedis = {
    url: `redis://127.0.0.1:${port}`,
    async start() {
      server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], {
        stdio: 'ignore',
      })
      await answering(port, server)
    },
    async stop() {
      if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
      const ended = once(server, 'exit')
      server.kill('SIGKILL')
      await ended
    },
    pause: () => void server?.kill('SIGSTOP'),
    resume: () => void server?.kill('SIGCONT'),
  }
  await redis.start()
  return redis
}

async function answering(port: number, server: ChildProcess): Promise<void> {
  while (server.exitCode === null) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return
    } catch {
      await sleep(20) // refused: it is not listening yet
    } finally {
      socket.destroy()
    }
  }
  throw new Error(`redis-server ended with ${server.exitCode} instead of listening on port ${port}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1')
  return address.port
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** One process of the product. `inspector`: the address of Node's. `ended` says how, whenever it does. */
export type Parley = {
  name: string
  pid: number
  port: number
  inspector: string
  ended: Promise<string>
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

const LISTENS = /^Parley listens on http:\/\/[^ ]+:(\d+)$/
const INSPECTED = /^Debugger listening on (ws:.+)$/
const PATIENCE_MS = 20_000

/** The real server, as `npm start` runs it. Each line that it prints is given to `heard`. */
export async function startParley(name: string, env: Record<string, string>, heard: (line: string) => void): Promise<Parley> {
  const child = spawn(process.execPath, ['--inspect=127.0.0.1:0', 'src/main.ts'], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let inspector = ''
  const listens = Promise.withResolvers<number>()
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      inspector = INSPECTED.exec(line)?.[1] ?? inspector
      const port = LISTENS.exec(line)?.[1]
      if (port !== undefined) listens.resolve(Number(port))
      heard(line)
    })
  }
  const ended = once(child, 'exit').then(([code, signal]) => (signal === null ? `exit code ${code}` : String(signal)))
  void ended.then((how) => listens.reject(new Error(`${name} ended instead of listening: ${how}`)))
  return {
    name,
    port: await listens.promise,
    inspector,
    pid: child.pid ?? 0,
    ended,
    async end(signal) {
      child.kill(signal)
      const impatient = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
      await ended
      clearTimeout(impatient)
    },
  }
}

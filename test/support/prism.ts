import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'

const PROGRAM = 'node_modules/@stoplight/prism-cli/dist/index.js'

export type Prism = { url: string; port: number; stop(): Promise<void> }

/** A mock server that answers with an API description's own examples, and refuses requests that it does not allow. */
export async function startPrism(specification: string): Promise<Prism> {
  const port = await freePort()
  const prism = spawn(process.execPath, [PROGRAM, 'mock', '-h', '127.0.0.1', '-p', String(port), resolve(specification), '--errors'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await listening(prism)
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async stop() {
      if (prism.kill()) await once(prism, 'exit')
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Resolves when Prism says that it listens; its output is read to the end, so that it never waits for a reader. */
async function listening(prism: ChildProcess): Promise<void> {
  await new Promise<void>((done, reject) => {
    let said = ''
    prism.stdout?.on('data', (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-2000)
      if (said.includes('is listening')) done()
    })
    prism.once('exit', (code) => reject(new Error(`Prism ended with ${code}: ${said}`)))
  })
}

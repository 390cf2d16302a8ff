import { once } from 'node:events'
import { WebSocket } from 'ws'

const TIMEOUT_MS = 20_000

/** Lets a process of Node's collect its garbage, by the address of its inspector: what is resident after that is in use. */
export async function collectGarbage(inspector: string): Promise<void> {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const socket = new WebSocket(inspector)
  try {
    await once(socket, 'open', { signal })
    for (const [id, method] of ['HeapProfiler.enable', 'HeapProfiler.collectGarbage'].entries()) {
      socket.send(JSON.stringify({ id, method }))
      for (let answer = ''; !answer.startsWith(`{"id":${id},`); ) answer = String((await once(socket, 'message', { signal }))[0])
    }
  } finally {
    socket.terminate()
  }
}

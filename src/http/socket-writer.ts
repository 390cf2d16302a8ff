import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Outlet } from '../live/group.ts'

/** A WebSocket is closed with this when its client does not read. graphql-ws' clients connect again after it. */
export const SLOW_READER = { code: 4430, reason: 'Slow reader: resume from your last cursor' } as const

/**
 * How many bytes may wait in this process for a client, beside what the system's own buffers hold and what is written at once. It has to be
 * more than a group hands a newcomer (live/recent-payloads.ts).
 */
const MAX_OUTSTANDING = 256 * 1024

export type SocketWriter = Outlet & {
  /** One text message; resolves when it has left the process, or never will. */
  send(text: string): Promise<void>
}

/** Writes to a WebSocket, and closes it when its client is too slow (`cutOff` is called then); nobody ever waits for it. */
export function createSocketWriter(webSocket: WebSocket, connection: Socket, cutOff: () => void): SocketWriter {
  const writable = (): boolean => {
    if (webSocket.readyState !== webSocket.OPEN) return false
    if (connection.writableLength <= MAX_OUTSTANDING) return true
    webSocket.close(SLOW_READER.code, SLOW_READER.reason)
    cutOff()
    return false
  }
  return {
    // Frames are ready to be written; without compression, `ws` holds nothing back that could come in between.
    write: (frames) => void (writable() && connection.write(frames)),
    send(text) {
      if (!writable()) return Promise.resolve()
      return new Promise((resolve) => webSocket.send(text, () => resolve()))
    },
    async drained() {
      if (!connection.writableNeedDrain || connection.destroyed) return
      const settled = new AbortController()
      await Promise.race(['drain', 'close'].map((event) => once(connection, event, { signal: settled.signal }))).finally(() =>
        settled.abort(),
      )
    },
  }
}

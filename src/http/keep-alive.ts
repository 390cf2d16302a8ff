import type { WebSocket, WebSocketServer } from 'ws'

const EVERY_MS = 12_000

/** Pings every socket now and then, and ends those that have not answered the ping before. The function returned calls it off. */
export function keepAlive(webSockets: WebSocketServer): () => void {
  const silent = new WeakSet<WebSocket>()
  const timer = setInterval(() => {
    for (const webSocket of webSockets.clients) {
      if (silent.has(webSocket)) webSocket.terminate()
      else if (webSocket.readyState === webSocket.OPEN) {
        silent.add(webSocket)
        webSocket.once('pong', () => silent.delete(webSocket))
        webSocket.ping()
      }
    }
  }, EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}

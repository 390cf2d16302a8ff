import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP address that stays while what is behind it goes and comes back elsewhere. */
export type Forwarder = {
  port: number
  /** Where new connections go; null: they are refused by a reset. */
  to(port: number | null): void
  close(): Promise<void>
}

/** Passes bytes on to a port of 127.0.0.1. */
export async function startForwarder(): Promise<Forwarder> {
  const sockets = new Set<Socket>()
  let target: number | null = null
  const track = (socket: Socket) => {
    sockets.add(socket)
    // The other side going away is what this is for.
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
  }
  const server = createServer((client) => {
    track(client)
    if (target === null) return void client.resetAndDestroy()
    const upstream = connect(target, '127.0.0.1')
    track(upstream)
    client.pipe(upstream).pipe(client)
    client.once('close', () => upstream.destroy())
    upstream.once('close', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    to(port) {
      target = port
    },
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

import { WebSocket } from 'ws'
import { decodeCursor, encodeCursor } from '../../src/events/cursor.ts'
import type { Random } from './random.ts'

/** What one subscriber proves: that it got each event once, in order. `last`: the number of the newest it got. */
export type InboxSocket = {
  organization: number
  last: number
  open: boolean
  /** Hangs up, as people do; comes back by itself. */
  leave(): void
  /** Comes back with an old cursor, and does not read what it is sent for a while. */
  fallBehind(): void
  end(): void
}

/** All that sockets have seen. `closes`: why they had to come back, by the server's code or in words. */
export type Seen = { events: number; resumed: number; closes: Record<string, number>; faults: string[] }

export type SocketOptions = {
  organization: number
  token: string
  document: string
  urls: () => string[]
  random: Random
  seen: Seen
}

const MAX_PAUSE_MS = 8_000
/** More than the system keeps for a connection whose other end does not read. */
const BEHIND_EVENTS = 8_000
const NOT_READING_MS = 20_000

/** A graphql-transport-ws subscription to InboxEvents that comes back from its cursor whenever it is closed, whoever closed it. */
export function openInboxSocket({ organization, token, document, urls, random, seen }: SocketOptions): InboxSocket {
  let webSocket: WebSocket | null = null
  let timer: NodeJS.Timeout | undefined
  let failures = 0
  let leaving = false
  let hungUp = false
  let notReading = false
  let ended = false

  const fault = (what: string) => void seen.faults.push(`organization ${organization}, after event ${self.last}: ${what}`)

  const connect = () => {
    const socket = new WebSocket(random.pick(urls()), 'graphql-transport-ws', { perMessageDeflate: false, handshakeTimeout: 10_000 })
    webSocket = socket
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })))
    // What had arrived already when it was hung up is not heard any more.
    socket.on('message', (data: Buffer) => socket.readyState === WebSocket.OPEN && hear(socket, data.toString()))
    // A 'close' follows.
    socket.on('error', () => undefined)
    socket.on('close', (code) => {
      self.open = false
      if (ended) return
      if (!leaving && !hungUp) count(code)
      hungUp = false
      failures = leaving ? 0 : failures + 1
      leaving = false
      timer = setTimeout(connect, random.between(0.3, 1) * Math.min(500 * 2 ** failures, MAX_PAUSE_MS))
    })
  }

  const count = (why: string | number) => {
    seen.closes[why] = (seen.closes[why] ?? 0) + 1
  }

  const hangUp = (socket: WebSocket, why: string) => {
    count(why)
    // Not the server's, but it is waited before the next as if it were.
    hungUp = true
    socket.terminate()
  }

  const hear = (socket: WebSocket, text: string) => {
    const message = JSON.parse(text)
    if (message.type === 'connection_ack') {
      self.open = true
      seen.resumed += 1
      const variables = { after: encodeCursor(BigInt(self.last)) }
      socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: document, operationName: 'InboxEvents', variables } }))
      if (notReading) pause(socket)
    } else if (message.type === 'next') take(socket, message.payload)
    else if (message.type === 'ping') socket.send('{"type":"pong"}')
    else if (message.type === 'error' || message.type === 'complete') {
      if (!text.includes('SERVICE_UNAVAILABLE')) fault(`the subscription ended: ${text.slice(0, 300)}`)
      hangUp(socket, 'a subscription failed')
    }
  }

  const take = (
    socket: WebSocket,
    payload: { data?: { inboxEvents?: { __typename: string; cursor: string } | null }; errors?: unknown },
  ) => {
    const event = payload.data?.inboxEvents
    // What could not be told of an event is told when it is asked for again.
    if (payload.errors !== undefined || !event) return hangUp(socket, 'an event failed')
    failures = 0
    const seq = Number(decodeCursor(event.cursor))
    if (event.__typename === 'ResyncRequiredEvent') fault('told to read its state anew')
    else if (seq !== self.last + 1) fault(`got event ${seq}`)
    self.last = seq
    seen.events += 1
  }

  const pause = (socket: WebSocket) => {
    notReading = false
    socket.pause()
    setTimeout(() => socket.resume(), NOT_READING_MS)
  }

  const leave = (hangUp: (socket: WebSocket) => void) => {
    if (webSocket === null || !self.open) return
    leaving = true
    hangUp(webSocket)
  }

  const self: InboxSocket = {
    organization,
    last: 0,
    open: false,
    leave: () => leave((socket) => (random.chance(0.5) ? socket.terminate() : socket.close(1000))),
    fallBehind: () =>
      leave((socket) => {
        socket.terminate()
        self.last = Math.max(0, self.last - BEHIND_EVENTS)
        notReading = true
      }),
    end() {
      ended = true
      clearTimeout(timer)
      webSocket?.terminate()
    },
  }
  connect()
  return self
}

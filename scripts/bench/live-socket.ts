import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'

/** A WebSocket that only passes on the bytes of the text messages that it gets. */
export type FrameSocket = { heard: (message: Buffer) => void; close(): void }

const TEXT = 0x1
const CLOSE = 0x8
const PING = 0x9
const PONG = 0xa
const ZERO_MASK = Buffer.alloc(4)

/** Opens it and sends each greeting, waiting for one answer to each but the last. */
export async function openFrameSocket(port: number, path: string, protocol: string, greetings: string[]): Promise<FrameSocket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const { promise: opened, resolve: open, reject: fail } = Promise.withResolvers<void>()
  socket.on('error', fail)
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Protocol: ${protocol}\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  )
  const left = [...greetings]
  const greet = () => {
    const greeting = left.shift()
    if (greeting !== undefined) socket.write(frame(TEXT, Buffer.from(greeting)))
    if (left.length === 0) open()
  }
  const self: FrameSocket = { heard: greet, close: () => socket.destroy() }
  let rest: Buffer = Buffer.alloc(0)
  let upgraded = false
  socket.on('data', (data: Buffer) => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data])
    if (!upgraded) {
      const end = rest.indexOf('\r\n\r\n')
      if (end === -1) return
      if (!rest.subarray(0, end).includes(' 101 ')) return fail(new Error(`no WebSocket: ${rest.subarray(0, 200).toString('latin1')}`))
      upgraded = true
      rest = rest.subarray(end + 4)
      greet()
    }
    for (let message = firstFrame(rest); message !== null; message = firstFrame(rest)) {
      rest = rest.subarray(message.end)
      if (message.opcode === TEXT) self.heard(message.payload)
      else if (message.opcode === PING) socket.write(frame(PONG, message.payload))
      else if (message.opcode === CLOSE) fail(new Error(`the server closed a socket: ${message.payload.subarray(2).toString()}`))
    }
  })
  await opened
  return self
}

/** Masked, as a client's must be; a mask of zeros changes nothing. */
function frame(opcode: number, payload: Buffer): Buffer {
  const head =
    payload.length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | payload.length])
      : Buffer.from([0x80 | opcode, 0xfe, payload.length >> 8, payload.length & 255])
  return Buffer.concat([head, ZERO_MASK, payload])
}

function firstFrame(data: Buffer): { opcode: number; payload: Buffer; end: number } | null {
  if (data.length < 2) return null
  const short = (data[1] as number) & 0x7f
  const start = short < 126 ? 2 : short === 126 ? 4 : 10
  if (data.length < start) return null
  const length = short < 126 ? short : short === 126 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2))
  const end = start + length
  return data.length < end ? null : { opcode: (data[0] as number) & 0x0f, payload: data.subarray(start, end), end }
}

const AT_ONCE = 50

/** As many, on /graphql. */
export async function openSockets(port: number, greetings: string[], count: number): Promise<FrameSocket[]> {
  const sockets: FrameSocket[] = []
  while (sockets.length < count) {
    const opening = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () =>
      openFrameSocket(port, '/graphql', 'graphql-transport-ws', greetings),
    )
    sockets.push(...(await Promise.all(opening)))
  }
  return sockets
}

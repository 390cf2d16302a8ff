import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createSocketWriter, SLOW_READER, type SocketWriter } from '../../src/http/socket-writer.ts'
import { nextFrames } from '../../src/live/next-frames.ts'
import { eventually } from '../support/eventually.ts'

const KILOBYTE = 1024

let server: Server
let webSockets: WebSocketServer
let client: WebSocket
let connection: Socket
let writer: SocketWriter
let cutOff: number

beforeEach(async () => {
  cutOff = 0
  webSockets = new WebSocketServer({ noServer: true, ...{ closeTimeout: 200 } })
  server = createServer().listen(0, '127.0.0.1')
  const opened = Promise.withResolvers<void>()
  server.on('upgrade', (request, socket, head) =>
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      connection = socket as Socket
      writer = createSocketWriter(webSocket, connection, () => {
        cutOff += 1
      })
      opened.resolve()
    }),
  )
  await once(server, 'listening')
  client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await Promise.all([once(client, 'open'), opened.promise])
})
afterEach(() => {
  client.terminate()
  webSockets.close()
  server.close()
})

const payload = (bytes: number) => Buffer.from(JSON.stringify('x'.repeat(bytes - 2)))

const writeUntilCutOff = async () => {
  const frames = nextFrames('1', [payload(64 * KILOBYTE)])
  let most = 0
  for (let written = 0; cutOff === 0 && written < 10_000; written += 1) {
    writer.write(frames)
    most = Math.max(most, connection.writableLength)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return most
}

describe('a socket', () => {
  test.each([1, 60, 80, 125, 126, 500, 65_480, 65_536, 200_000])(
    'gives a payload of %i bytes as it is, between messages of its own',
    async (bytes) => {
      const heard: unknown[] = []
      client.on('message', (data) => heard.push(JSON.parse(String(data))))
      const payloads = [payload(Math.max(2, bytes)), payload(40), Buffer.from('{"data":{"name":"Zoë ✓"}}')]
      void writer.send('{"type":"pong"}')
      writer.write(nextFrames('an "id"', payloads))
      await writer.send('{"type":"ping"}')
      const next = payloads.map((one) => ({ id: 'an "id"', type: 'next', payload: JSON.parse(String(one)) }))
      await eventually(() => expect(heard).toEqual([{ type: 'pong' }, ...next, { type: 'ping' }]))
    },
  )

  test('whose client does not read holds a bounded number of bytes, and is closed with the code when it reads again', async () => {
    const closed = once(client, 'close')
    client.pause()
    const most = await writeUntilCutOff()
    expect(cutOff).toBe(1)
    expect(most).toBeLessThan(512 * KILOBYTE)
    const held = connection.writableLength
    writer.write(nextFrames('1', [payload(64 * KILOBYTE)]))
    await writer.send('nothing is written any more')
    expect([cutOff, connection.writableLength <= held]).toEqual([1, true])
    client.resume()
    const [code, reason] = await closed
    expect([code, String(reason)]).toEqual([SLOW_READER.code, SLOW_READER.reason])
  })

  test('whose client never reads is let go of, with all that it holds', async () => {
    client.pause()
    await writeUntilCutOff()
    await eventually(() => expect([connection.destroyed, webSockets.clients.size, connection.writableLength]).toEqual([true, 0, 0]))
  })

  test('that is drained says so; so does one that is gone', async () => {
    await writer.drained()
    client.pause()
    while (!connection.writableNeedDrain) writer.write(nextFrames('1', [payload(64 * KILOBYTE)]))
    const drained = writer.drained()
    client.resume()
    await drained
    client.pause()
    while (!connection.writableNeedDrain) writer.write(nextFrames('1', [payload(64 * KILOBYTE)]))
    const gone = writer.drained()
    connection.destroy()
    await gone
    await writer.send('to nobody')
  })
})

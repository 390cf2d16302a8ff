import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { type InboxSocket, openInboxSocket, type Seen } from '../../scripts/soak/inbox-socket.ts'
import { createRandom } from '../../scripts/soak/random.ts'
import { encodeCursor } from '../../src/events/cursor.ts'
import { eventually } from '../support/eventually.ts'

/** A server that answers each subscription with what a test has for it. */
let server: WebSocketServer
let answers: ((socket: WebSocket) => void)[] = []
let asked: string[] = []

beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const { type, payload } = JSON.parse(data.toString())
      if (type === 'connection_init') return socket.send(JSON.stringify({ type: 'connection_ack' }))
      asked.push(payload.variables.after)
      answers.shift()?.(socket)
    })
  })
})
afterAll(() => server.close())

const send = (socket: WebSocket, ...seqs: number[]) => {
  for (const seq of seqs) {
    const inboxEvents = { __typename: 'ConversationChangedEvent', cursor: encodeCursor(BigInt(seq)) }
    socket.send(JSON.stringify({ type: 'next', id: '1', payload: { data: { inboxEvents } } }))
  }
}

async function watched(given: typeof answers, done: (seen: Seen, socket: InboxSocket) => void): Promise<Seen> {
  answers = given
  asked = []
  const seen: Seen = { events: 0, resumed: 0, closes: {}, faults: [] }
  const urls = () => [`ws://127.0.0.1:${(server.address() as AddressInfo).port}`]
  const socket = openInboxSocket({ organization: 0, token: '', document: '', urls, random: createRandom(1), seen })
  await eventually(() => done(seen, socket))
  socket.end()
  return seen
}

test('it comes back from the last event it has got, whoever closed it', async () => {
  const { faults, closes, events } = await watched(
    [
      (socket) => {
        send(socket, 1, 2)
        socket.close(4901, 'Too slow')
      },
      (socket) => send(socket, 3),
    ],
    (_, { last }) => expect(last).toBe(3),
  )
  expect({ faults, closes, events, asked }).toEqual({ faults: [], closes: { 4901: 1 }, events: 3, asked: [0n, 2n].map(encodeCursor) })
})

test.for<[what: string, seqs: number[]]>([
  ['missing', [1, 3]],
  ['twice', [1, 2, 2]],
  ['out of order', [2, 1]],
])('an event that is %s is a fault', async ([, seqs]) => {
  const { faults } = await watched([(socket) => send(socket, ...seqs)], (seen) => expect(seen.events).toBe(seqs.length))
  expect(faults).not.toEqual([])
})

test('an event that could not be told is asked for again', async () => {
  const failed = JSON.stringify({ type: 'next', id: '1', payload: { data: null, errors: [{ message: 'away' }] } })
  const { faults, closes } = await watched(
    [
      (socket) => {
        send(socket, 1)
        socket.send(failed)
        send(socket, 3)
      },
      (socket) => send(socket, 2, 3),
    ],
    (_, { last }) => expect(last).toBe(3),
  )
  expect({ faults, closes, asked }).toEqual({ faults: [], closes: { 'an event failed': 1 }, asked: [0n, 1n].map(encodeCursor) })
})

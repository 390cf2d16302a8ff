import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HttpError, RequestAborted } from '../../src/http/errors.ts'
import { createLargeBodies } from '../../src/http/large-bodies.ts'
import { eventually } from '../support/eventually.ts'

const bodies = createLargeBodies({ smallBytes: 100, totalBytes: 2000 })
const waiting: (() => void)[] = []
const errors: unknown[] = []

/** Keeps each body until it is let go. */
const server = createServer(async (request, response) => {
  try {
    if (request.headers['x-read'] === 'too late') await new Promise((left) => request.once('close', left))
    const size = await bodies.during(request, 1500, async (body) => {
      await new Promise<void>((go) => waiting.push(go))
      return body.byteLength
    })
    response.end(String(size))
  } catch (error) {
    errors.push(error)
    response.writeHead(error instanceof HttpError ? error.status : 500).end()
  }
})
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => void server.close())

const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const post = async (size: number, chunked = false): Promise<[number, string]> => {
  const body = new Uint8Array(size)
  const answer = await fetch(url(), {
    method: 'POST',
    ...(chunked ? { body: new Blob([body]).stream(), duplex: 'half' as const } : { body }),
  })
  return [answer.status, await answer.text()]
}
const inHand = (count: number) => eventually(async () => expect(waiting).toHaveLength(count))
const letGo = () => {
  for (const go of waiting.splice(0)) go()
}

test('large bodies share what there is, small ones always pass, and what is done is given back', async () => {
  for (const chunked of [false, true]) {
    const first = [post(1000, chunked), post(900, chunked)]
    await inHand(2)
    expect(await post(101, chunked)).toEqual([503, ''])
    const small = post(100, chunked)
    await inHand(3)
    letGo()
    expect(await Promise.all([...first, small])).toEqual([
      [200, '1000'],
      [200, '900'],
      [200, '100'],
    ])
  }
  const again = post(1500)
  await inHand(1)
  letGo()
  expect(await again).toEqual([200, '1500'])
})

test('a body over the limit is refused, whether its size is told or not', async () => {
  expect(await post(1501)).toEqual([413, ''])
  expect(await post(1501, true)).toEqual([413, ''])
})

test('what a client that goes away has taken is given back', async () => {
  errors.length = 0
  const arrived = once(server, 'request')
  const leaving = httpRequest(url(), { method: 'POST', headers: { 'content-length': 1500 } }).on('error', () => undefined)
  leaving.write(Buffer.alloc(1200))
  await arrived
  // The size that was told counts before the bytes are there.
  expect(await post(600)).toEqual([503, ''])
  leaving.destroy()
  await eventually(async () => expect(errors.some((error) => error instanceof RequestAborted)).toBe(true))
  const next = post(1500)
  await inHand(1)
  letGo()
  expect(await next).toEqual([200, '1500'])
})

test('a client that went away before its body is read has taken nothing', async () => {
  errors.length = 0
  const arrived = once(server, 'request')
  const headers = { 'content-length': 1500, 'x-read': 'too late' }
  const leaving = httpRequest(url(), { method: 'POST', headers }).on('error', () => undefined)
  leaving.write(Buffer.alloc(1200))
  await arrived
  leaving.destroy()
  await eventually(async () => expect(errors).toEqual([expect.any(RequestAborted)]))
  const next = post(1500)
  await inHand(1)
  letGo()
  expect(await next).toEqual([200, '1500'])
})

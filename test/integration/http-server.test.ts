import { once } from 'node:events'
import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import pino from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import { ConfigError, loadConfig } from '../../src/config.ts'
import { readBody } from '../../src/http/body.ts'
import { HttpError } from '../../src/http/errors.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import type { Routes } from '../../src/http/router.ts'
import { createHttpServer, type HttpServer } from '../../src/http/server.ts'

const config = loadConfig({ PORT: '0', AUTH_JWT_SECRET: 'x'.repeat(32), ENCRYPTION_KEY: Buffer.alloc(32).toString('base64') })
const running: HttpServer[] = []

afterEach(async () => {
  for (const server of running.splice(0)) await server.close(0)
})

/** A server on a free port, with what it logs. */
async function start(routes: Routes, settings = {}) {
  const lines: Record<string, unknown>[] = []
  const sink = new PassThrough().on('data', (line) => lines.push(JSON.parse(line)))
  const metrics = createMetrics()
  const server = createHttpServer({ config: { ...config, ...settings }, log: pino({ level: 'debug' }, sink), metrics }, routes)
  running.push(server)
  const { port } = await server.listen()
  return { server, port, url: `http://127.0.0.1:${port}`, lines, metrics }
}

/** A promise and what resolves it. */
function signal() {
  let give = () => {}
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { give, given }
}

describe('routing', () => {
  test('an exact path wins over a prefix, the longest prefix over a shorter one', async () => {
    const saying =
      (text: string): Routes[string] =>
      async (_, response) =>
        void response.end(text)
    const { url } = await start({ '/a': saying('exact'), '/a/': saying('a'), '/a/b/': saying('b'), '/a/b/c': saying('c') })
    const paths = ['/a', '/a?x=1', '/a/', '/a/x', '/a/b', '/a/b/x/y', '/a/b/c']
    const texts = await Promise.all(paths.map(async (path) => (await fetch(url + path)).text()))
    expect(texts).toEqual(['exact', 'exact', 'a', 'a', 'a', 'b', 'c'])
  })

  test('the handler gets the path and the query', async () => {
    const { url } = await start({
      '/q/': async (_, response, { pathname, searchParams }) => void response.end(pathname + searchParams.get('x')),
    })
    expect(await (await fetch(`${url}/q/z?x=%C3%BC`)).text()).toBe('/q/zü')
  })

  test('an unknown address is a 404 in JSON', async () => {
    const { url } = await start({})
    const response = await fetch(`${url}/constructor`)
    expect(response.status).toBe(404)
    expect(await response.json()).toEqual({ error: 'There is nothing at this address.' })
  })

  test('an address that is none is a 400', async () => {
    const { port } = await start({})
    const socket = connect(port, '127.0.0.1')
    socket.write('GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect(String((await socket.toArray()).join(''))).toContain('400 Bad Request')
  })
})

describe('errors', () => {
  test('an unexpected one is a 500 with a reference; the story is in the log only', async () => {
    const { url, lines } = await start({
      '/boom': async () => {
        throw new Error('the password is hunter2')
      },
    })
    const response = await fetch(`${url}/boom`)
    const body = (await response.json()) as { error: string; reference: string }
    expect(response.status).toBe(500)
    expect(body).toEqual({ error: 'Something went wrong on our side.', reference: expect.stringMatching(/^[0-9a-f-]{36}$/) })
    expect(lines).toContainEqual(
      expect.objectContaining({
        reference: body.reference,
        err: expect.objectContaining({ message: 'the password is hunter2', stack: expect.any(String) }),
      }),
    )
  })

  test('a refusal has its own status and is not logged as a failure', async () => {
    const { url, lines } = await start({
      '/no': async () => {
        throw new HttpError(403, 'Not you.')
      },
    })
    const response = await fetch(`${url}/no`)
    expect([response.status, await response.json()]).toEqual([403, { error: 'Not you.' }])
    expect(lines.filter((line) => Number(line.level) >= 40)).toEqual([])
  })

  test('a database that is away is a 503 that asks to come again', async () => {
    const { url } = await start({
      '/data': async () => {
        throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' })
      },
    })
    const response = await fetch(`${url}/data`)
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
    expect(await response.text()).not.toContain('10.0.0.7')
  })

  test('an answer that fails half-way is cut off, not ended as if it were whole', async () => {
    const { url } = await start({
      '/half': async (_, response) => {
        response.writeHead(200)
        response.write('half')
        throw new Error('broken')
      },
    })
    await expect(fetch(`${url}/half`).then((response) => response.text())).rejects.toThrow()
  })
})

describe('bodies', () => {
  const echo: Routes = {
    '/echo': async (request, response) => {
      response.end(await readBody(request, 10))
    },
  }

  test('come through byte for byte, up to the limit', async () => {
    const { url } = await start(echo)
    const bytes = Buffer.from([0, 255, 10, 13, 128, 1, 2, 3, 4, 5])
    const response = await fetch(`${url}/echo`, { method: 'POST', body: bytes })
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes)
  })

  test.each([
    ['announced', () => 'x'.repeat(11)],
    ['sent in pieces', () => new Blob(Array.from({ length: 500 }, () => 'x'.repeat(10_000))).stream()],
  ])('over the limit (%s) are a 413 that names it', async (_, body) => {
    const { url } = await start(echo)
    const response = await fetch(`${url}/echo`, { method: 'POST', body: body(), duplex: 'half' } as RequestInit)
    expect(response.status).toBe(413)
    expect(await response.json()).toEqual({ error: 'The body is larger than 10 bytes, the limit set by MAX_BODY_BYTES.' })
  })

  test('that are refused are read to their end, so that a client which sends all first gets the answer and may go on', async () => {
    const { port } = await start(echo)
    const socket = connect(port, '127.0.0.1')
    const piece = `2710\r\n${'x'.repeat(10_000)}\r\n`
    socket.write(`POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${piece.repeat(500)}0\r\n\r\n`)
    socket.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')
    const answers = (await socket.toArray()).join('')
    expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200'])
  })

  test('cut off by the client leave no error in the log', async () => {
    const { port, server, lines, metrics } = await start(echo)
    const socket = connect(port, '127.0.0.1')
    socket.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc')
    await expect.poll(() => server.openRequests()).toBe(1)
    socket.destroy()
    await expect.poll(() => server.openRequests()).toBe(0)
    await expect.poll(() => lines.map((line) => line.msg)).toContain('a client went away')
    expect(lines.filter((line) => Number(line.level) >= 40)).toEqual([])
    expect(await metrics.registry.metrics()).toContain('parley_http_requests_total{route="/echo",method="POST",status="aborted"} 1')
  })
})

describe('listening', () => {
  test('a taken port is an error that names PORT', async () => {
    const { port } = await start({})
    const second = start({}, { PORT: port })
    await expect(second).rejects.toBeInstanceOf(ConfigError)
    await expect(second).rejects.toThrow(`PORT: ${port} is taken on 127.0.0.1`)
  })

  test('an address that is not ours is an error that names HOST', async () => {
    await expect(start({}, { HOST: '203.0.113.7' })).rejects.toThrow('HOST: 203.0.113.7 is not an address of this machine')
  })
})

describe('closing', () => {
  test('lets a request in hand finish, and takes no new one', async () => {
    const [arrived, release] = [signal(), signal()]
    const { url, server } = await start({
      '/slow': async (_, response) => {
        arrived.give()
        await release.given
        response.end('whole')
      },
    })
    const answer = fetch(`${url}/slow`)
    await arrived.given
    const closed = server.close(60_000)
    await expect(fetch(`${url}/slow`)).rejects.toThrow()
    release.give()
    expect(await (await answer).text()).toBe('whole')
    await closed
    expect(server.openRequests()).toBe(0)
  })

  test('does not wait for idle connections', async () => {
    const { port, server } = await start({ '/': async (_, response) => void response.end('ok') })
    const socket = connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'data')
    await server.close(60_000)
    await once(socket.resume(), 'close')
    expect(socket.destroyed).toBe(true)
  })

  test('destroys what is left at the deadline, upgraded sockets too', async () => {
    const arrived = signal()
    const { url, port, server, lines } = await start({
      '/stuck': async () => {
        arrived.give()
        await new Promise(() => {})
      },
    })
    server.server.on('upgrade', (_, socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    )
    const upgraded = connect(port, '127.0.0.1').on('error', () => {})
    upgraded.write('GET / HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')
    await once(upgraded, 'data')
    const stuck = fetch(`${url}/stuck`)
    const refused = expect(stuck).rejects.toThrow()
    await arrived.given
    await server.close(10)
    await refused
    expect(lines).toContainEqual(expect.objectContaining({ openRequests: 1, connections: 2 }))
  })
})

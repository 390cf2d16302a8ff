import pino from 'pino'
import { afterEach, expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import { createHttpServer, type HttpServer } from '../../src/http/server.ts'

const config = loadConfig({ PORT: '0', AUTH_JWT_SECRET: 'x'.repeat(32), ENCRYPTION_KEY: Buffer.alloc(32).toString('base64') })
let server: HttpServer | undefined

afterEach(() => server?.close(0))

async function start() {
  const metrics = createMetrics()
  server = createHttpServer(
    { config, log: pino({ level: 'silent' }), metrics },
    {
      '/metrics': metrics.handler,
      '/hello/': async (_, response) => void response.end('hello'),
      '/stream': async (_, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(),
    },
  )
  const { port } = await server.listen()
  const url = `http://127.0.0.1:${port}`
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(url + path, init)
    return { response, text: await response.text() }
  }
  return { metrics, get }
}

test('requests are counted by route, method and status, never by the address that was typed', async () => {
  const { get } = await start()
  await get('/hello/secret-name')
  await get('/hello/other')
  await get('/nothing/here')
  const { response, text } = await get('/metrics')
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(text).toContain('parley_http_requests_total{route="/hello/",method="GET",status="200"} 2')
  expect(text).toContain('parley_http_requests_total{route="none",method="GET",status="404"} 1')
  expect(text).toContain('parley_http_request_seconds_count{route="/hello/",method="GET"} 2')
  expect(text).toContain('process_resident_memory_bytes')
  expect(text).not.toContain('secret-name')
})

test('event streams are counted, not timed', async () => {
  const { get } = await start()
  await get('/stream')
  const { text } = await get('/metrics')
  expect(text).toContain('parley_http_requests_total{route="/stream",method="GET",status="200"} 1')
  expect(text).not.toContain('parley_http_request_seconds_count{route="/stream"')
})

test('what has to be asked for is read at the scrape; one reading that fails does not hide the others', async () => {
  const { get, metrics } = await start()
  metrics.onScrape(async () => metrics.outstandingJobs.set(7))
  metrics.onScrape(async () => {
    throw new Error('the database is away')
  })
  const { response, text } = await get('/metrics')
  expect(response.status).toBe(200)
  expect(text).toContain('parley_outstanding_jobs 7')
  expect(text).toContain('parley_scrape_failures_total 1')
})

test('two apps in one process count apart', async () => {
  const [one, other] = [createMetrics(), createMetrics()]
  one.sends.inc({ provider: 'TWILIO', outcome: 'sent' })
  expect(await one.registry.metrics()).toContain('parley_sends_total{provider="TWILIO",outcome="sent"} 1')
  expect(await other.registry.metrics()).not.toContain('TWILIO')
})

test('it is read only', async () => {
  const { get } = await start()
  const { response } = await get('/metrics', { method: 'POST' })
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
})

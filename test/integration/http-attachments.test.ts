import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import pino from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { signAttachmentLink } from '../../src/attachment-links.ts'
import { loadConfig } from '../../src/config.ts'
import { Prisma } from '../../src/db/generated/client.ts'
import { newId } from '../../src/domain/ids.ts'
import { createAttachmentHandler } from '../../src/http/attachments.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import { createHttpServer, type HttpServer } from '../../src/http/server.ts'
import { fileStorage } from '../../src/storage/disk.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { testDatabase } from '../support/database.ts'

const config = loadConfig({ PORT: '0', AUTH_JWT_SECRET: 'x'.repeat(32), ENCRYPTION_KEY: randomBytes(32).toString('base64') })
const organizationId = newId()
const bytes = randomBytes(3_000_000)

let database: Awaited<ReturnType<typeof testDatabase>>
let server: HttpServer
let storage: Storage
let folder: string
let url: string
let port: number
let now: Date
let communicationId: string
let revokedId: string
const lines: Record<string, unknown>[] = []

beforeAll(async () => {
  database = await testDatabase()
  folder = await mkdtemp(join(tmpdir(), 'parley-attachments-'))
  storage = fileStorage(folder)
  const log = pino(
    { level: 'debug' },
    new PassThrough().on('data', (line) => lines.push(JSON.parse(line))),
  )
  const handler = createAttachmentHandler({ config, pool: database.pool, storage, clock: () => now, log })
  server = createHttpServer({ config, log, metrics: createMetrics() }, { '/attachments/': handler })
  port = (await server.listen()).port
  url = `http://127.0.0.1:${port}`
  const customer = await database.db.customer.create({ data: { id: newId(), organizationId } })
  const communication = await database.db.communication.create({
    data: { id: newId(), organizationId, customerId: customer.id, type: 'SMS', direction: 'INBOUND', body: '', createdAt: new Date() },
  })
  communicationId = communication.id
  const { id } = await database.db.communication.create({
    data: { ...communication, id: newId(), content: Prisma.DbNull, payload: Prisma.DbNull, revokedAt: new Date() },
  })
  revokedId = id
})

afterAll(async () => {
  await server?.close(0)
  await database?.close()
  await rm(folder, { recursive: true, force: true })
})

beforeEach(() => {
  now = new Date()
  lines.length = 0
})

type Content = {
  contentType?: string | null
  filename?: string | null
  status?: 'PENDING' | 'STORED' | 'FAILED'
  missing?: boolean
  size?: number | null
  sourceUrl?: string | null
  revoked?: boolean
}

async function attach({
  contentType = 'image/png',
  filename = 'a.png',
  status = 'STORED',
  missing = false,
  size = bytes.length,
  sourceUrl = 'https://api.twilio.example/media',
  revoked = false,
}: Content = {}) {
  const id = newId()
  const storageKey = status === 'STORED' ? `attachments/${id}` : null
  if (storageKey !== null && !missing) await storage.put(storageKey, bytes)
  await database.db.attachment.create({
    data: {
      id,
      organizationId,
      communicationId: revoked ? revokedId : communicationId,
      contentType,
      filename,
      size,
      status,
      storageKey,
      sourceUrl,
    },
  })
  return { id, link: await signAttachmentLink(config, id, organizationId, () => now) }
}

test('the file comes as it was stored', async () => {
  const { link } = await attach()
  const response = await fetch(url + link)
  expect(response.status).toBe(200)
  expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'image/png',
    'content-length': String(bytes.length),
    'content-disposition': `inline; filename="a.png"; filename*=UTF-8''a.png`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'cache-control': 'private, max-age=3600, immutable',
  })
})

test('HEAD has the headers and no body', async () => {
  const { link } = await attach({ size: null })
  const response = await fetch(url + link, { method: 'HEAD' })
  expect([response.status, response.headers.get('content-type'), (await response.arrayBuffer()).byteLength]).toEqual([200, 'image/png', 0])
})

describe('nothing runs in the browser', () => {
  test.each([
    ['image/svg+xml', 'image/svg+xml', 'attachment'],
    ['text/html', 'text/html', 'attachment'],
    ['TEXT/HTML; charset=utf-8', 'text/html', 'attachment'],
    ['application/xhtml+xml', 'application/xhtml+xml', 'attachment'],
    ['video/x+xml', 'video/x+xml', 'attachment'],
    ['not a type\r\nset-cookie: a=b', 'application/octet-stream', 'attachment'],
    [null, 'application/octet-stream', 'attachment'],
    ['audio/ogg; codecs=opus', 'audio/ogg', 'inline'],
    ['application/pdf', 'application/pdf', 'inline'],
  ])('%j is served as %s, %s', async (stored, served, disposition) => {
    const { link } = await attach({ contentType: stored, filename: null })
    const response = await fetch(url + link, { method: 'HEAD' })
    expect([response.headers.get('content-type'), response.headers.get('content-disposition')]).toEqual([served, disposition])
    expect(response.headers.get('set-cookie')).toBeNull()
  })
})

test.each([
  ['../../etc/passwd', `inline; filename=".._.._etc_passwd"; filename*=UTF-8''.._.._etc_passwd`],
  ['a"b\r\nx: y.png', `inline; filename="a_b__x: y.png"; filename*=UTF-8''a%22b__x%3A%20y.png`],
  ["Ruhsat (2)'ş.png", `inline; filename="Ruhsat (2)'_.png"; filename*=UTF-8''Ruhsat%20%282%29%27%C5%9F.png`],
])('the name %j does no harm', async (filename, disposition) => {
  const { link } = await attach({ filename })
  const response = await fetch(url + link, { method: 'HEAD' })
  expect(response.headers.get('content-disposition')).toBe(disposition)
})

describe('is refused', () => {
  const get = async (path: string) => {
    const response = await fetch(url + path)
    return [response.status, ((await response.json()) as { error: string }).error]
  }

  test('without a token, with a wrong one, with one of another attachment, and when it has expired: 403', async () => {
    const [one, other] = [await attach(), await attach()]
    const refusal = [403, 'The link is wrong or has expired: ask the graph for a new one.']
    expect(await get(`/attachments/${one.id}`)).toEqual(refusal)
    expect(await get(`${one.link}x`)).toEqual(refusal)
    expect(await get(other.link.replace(other.id, one.id))).toEqual(refusal)
    now = new Date(now.getTime() + 2 * 3_600_000)
    expect(await get(one.link)).toEqual(refusal)
  })

  test('a link of another organization: 404', async () => {
    const { id } = await attach()
    expect(await get(await signAttachmentLink(config, id, newId(), () => now))).toEqual([404, 'There is no such attachment.'])
  })

  test('what is not stored: 404 and why', async () => {
    const [pending, failed, missing] = [
      await attach({ status: 'PENDING' }),
      await attach({ status: 'FAILED' }),
      await attach({ missing: true }),
    ]
    expect(await get(pending.link)).toEqual([404, 'The attachment is still being fetched from the provider.'])
    expect(await get(failed.link)).toEqual([404, 'The attachment could not be fetched from the provider.'])
    const [waiting, revoked] = [await attach({ status: 'PENDING', sourceUrl: null }), await attach({ revoked: true })]
    expect(await get(waiting.link)).toEqual([404, 'The attachment has not been uploaded yet.'])
    expect(await get(revoked.link)).toEqual([404, 'The message was taken back, and its files with it.'])
    expect(await get(missing.link)).toEqual([404, 'The file of this attachment is missing.'])
    expect(lines).toContainEqual(expect.objectContaining({ level: 50, attachmentId: missing.id }))
  })

  test.each(['/attachments/', '/attachments/x', '/attachments/../../etc/passwd', '/attachments/%2e%2e'])('%s: 404', async (path) => {
    expect((await get(path))[0]).toBe(404)
  })
})

test('a client that leaves half-way leaves no error in the log', async () => {
  const { link } = await attach()
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET ${link} HTTP/1.1\r\nHost: x\r\n\r\n`)
  await once(socket, 'readable')
  socket.destroy()
  await expect.poll(() => lines.map((line) => line.msg)).toContain('a client went away')
  expect(lines.filter((line) => Number(line.level) >= 40)).toEqual([])
})

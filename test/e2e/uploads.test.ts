import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { globalId, localId } from '../../schema/global-id.ts'
import { signAttachmentLink } from '../../src/attachment-links.ts'
import { createOrganization } from '../../src/domain/create-organization.ts'
import { newId } from '../../src/domain/ids.ts'
import { deleteUnsentUploads } from '../../src/domain/upload-attachment.ts'
import { AttachmentDocument, CreateUploadDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { dataOf, member, present } from '../support/result.ts'

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex')
const LIMIT = 5_000

let app: TestApp
let agent: string

beforeAll(async () => {
  app = await startTestApp({ MAX_ATTACHMENT_BYTES: String(LIMIT) })
  agent = await app.token({ role: 'AGENT', subject: 'agent' })
})
afterAll(() => app?.close())

const create = async (input: { filename?: string; contentType?: string; size?: number } = {}) =>
  dataOf(
    await app.request(
      CreateUploadDocument,
      { input: { filename: 'permit.png', contentType: 'image/png', size: PNG.length, ...input } },
      agent,
    ),
  ).createUpload
const created = async (input: Parameters<typeof create>[0] = {}) => member(await create(input), 'CreateUploadSuccess')
const put = (url: string, body: Buffer | string) => fetch(url, { method: 'PUT', body: new Uint8Array(Buffer.from(body)) })
const attachment = async (id: string) => {
  const { node } = dataOf(await app.request(AttachmentDocument, { id }))
  return node as { status: string; contentType: string; size: number | null; filename: string | null; url: string | null } | null
}
const storedFiles = async () => (await app.deps.db.attachment.findMany({ where: { storageKey: { not: null } } })).length
const told = async (response: Response) => [response.status, ((await response.json()) as { error: string }).error]

describe('a signed link', () => {
  test('takes the bytes; the attachment is then stored and can be looked at', async () => {
    const { attachment: made, url, method, headers, expiresAt } = await created({ filename: 'Ruhsat (2) ş.png' })
    expect({ method, headers, status: made.status }).toEqual({ method: 'PUT', headers: { 'content-type': 'image/png' }, status: 'PENDING' })
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now())
    expect(await attachment(made.id)).toMatchObject({ status: 'PENDING', url: null, size: null })
    const response = await fetch(url, { method, headers: headers as Record<string, string>, body: new Uint8Array(PNG) })
    expect([response.status, await response.json()]).toEqual([
      200,
      { id: made.id, filename: 'Ruhsat (2) ş.png', contentType: 'image/png', size: PNG.length },
    ])
    const stored = present(await attachment(made.id))
    expect(stored).toMatchObject({ status: 'STORED', contentType: 'image/png', size: PNG.length })
    const served = await fetch(present(stored.url))
    expect(Buffer.from(await served.arrayBuffer())).toEqual(PNG)
  })

  test('takes fewer bytes than declared, but not more, and not none', async () => {
    const small = await created({ contentType: 'text/plain', size: 100 })
    expect((await put(small.url, 'x'.repeat(10))).status).toBe(200)
    const large = await created({ contentType: 'text/plain', size: 10 })
    expect(await told(await put(large.url, 'x'.repeat(11)))).toEqual([413, 'The body is larger than 10 bytes, the size that was declared.'])
    expect(await told(await put(large.url, ''))).toEqual([400, 'The file is empty.'])
    expect(await attachment(large.attachment.id)).toMatchObject({ status: 'PENDING' })
    expect((await put(large.url, 'x'.repeat(10))).status).toBe(200)
  })

  test('works once, also for many at the same time: the bytes are those of the one that was told so', async () => {
    const { attachment: made, url } = await created({ contentType: 'text/plain', size: 100 })
    const before = await storedFiles()
    const answers = await Promise.all(Array.from({ length: 6 }, async (_, n) => ({ n, status: (await put(url, `file ${n}`)).status })))
    const winners = answers.filter(({ status }) => status === 200)
    expect([winners.length, answers.filter(({ status }) => status === 409).length]).toEqual([1, 5])
    expect(await storedFiles()).toBe(before + 1)
    const served = await fetch(present(present(await attachment(made.id)).url))
    expect(await served.text()).toBe(`file ${winners[0]?.n}`)
    expect(await told(await put(url, 'again'))).toEqual([
      409,
      'The file has been uploaded already: ask the graph for a new link (createUpload).',
    ])
  })

  test('is refused where it is wrong, of another file, of another kind, or has expired', async () => {
    const [one, other] = [await created(), await created()]
    const refusal = [403, 'The link is wrong or has expired: ask the graph for a new one (createUpload).']
    const id = present(localId('Attachment', one.attachment.id))
    const bare = `${app.url}/uploads/${id}`
    const { id: organizationId } = await app.deps.db.organization.findUniqueOrThrow({ where: { slug: 'demo' } })
    const toRead = await signAttachmentLink(app.deps.config, id, organizationId, app.deps.clock)
    expect(await told(await put(bare, PNG))).toEqual(refusal)
    expect(await told(await put(`${one.url}x`, PNG))).toEqual(refusal)
    expect(await told(await put(`${bare}${new URL(other.url).search}`, PNG))).toEqual(refusal)
    expect(await told(await put(`${bare}${new URL(toRead, app.url).search}`, PNG))).toEqual(refusal)
    const [path, query] = [new URL(one.url).pathname, new URL(one.url).search]
    expect((await fetch(`${app.url}${path.replace('uploads', 'attachments')}${query}`)).status).toBe(403)
    const realClock = app.deps.clock
    app.deps.clock = () => new Date(Date.now() + 15 * 60_000)
    try {
      expect(await told(await put(one.url, PNG))).toEqual(refusal)
    } finally {
      app.deps.clock = realClock
    }
    expect((await put(one.url, PNG)).status).toBe(200)
  })

  test.each(['/uploads/', '/uploads/x', '/uploads/../../etc/passwd'])('%s: 404', async (path) => {
    expect((await put(`${app.url}${path}`, 'x')).status).toBe(404)
  })

  test('another method is refused, and a preflight from any origin is answered', async () => {
    const { url } = await created()
    expect([(await fetch(url)).status, (await fetch(url, { method: 'POST' })).status]).toEqual([405, 405])
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://inbox.example',
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'content-type',
      },
    })
    expect([preflight.status, Object.fromEntries(preflight.headers)]).toEqual([
      204,
      expect.objectContaining({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'PUT',
        'access-control-allow-headers': 'authorization, content-type',
      }),
    ])
    expect((await put(url, PNG)).headers.get('access-control-allow-origin')).toBe('*')
  })

  test('a client that leaves half-way leaves the link usable', async () => {
    const { url, attachment: made } = await created({ contentType: 'text/plain', size: 100 })
    const { port, pathname, search } = new URL(url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`PUT ${pathname}${search} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf`)
    await once(socket, 'connect')
    socket.destroy()
    expect((await put(url, 'whole')).status).toBe(200)
    expect(await attachment(made.id)).toMatchObject({ size: 5 })
  })
})

describe('the bytes decide the type', () => {
  test.each([
    ['a program', Buffer.from('MZ\u0090\u0000', 'latin1'), 'image/png', 'application/x-msdownload'],
    ['HTML', Buffer.from('<html><script>alert(1)</script>'), 'image/png', 'text/html'],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'image/png', 'image/svg+xml'],
    ['a picture', PNG, 'application/pdf', 'image/png'],
    ['a text', Buffer.from('a;b'), 'text/csv', 'text/csv'],
  ])('%s', async (_name, body, contentType, found) => {
    const { url, attachment: made } = await created({ contentType, size: body.length })
    expect(await (await put(url, body)).json()).toMatchObject({ contentType: found })
    const response = await fetch(present(present(await attachment(made.id)).url), { method: 'HEAD' })
    expect(response.headers.get('content-disposition')).toMatch(found === 'image/png' ? /^inline/ : /^attachment/)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  })
})

describe('createUpload refuses', () => {
  test.each([
    ['size', { size: 0 }],
    ['size', { size: LIMIT + 1 }],
    ['size', { size: -1 }],
    ['filename', { filename: ' ' }],
    ['filename', { filename: 'x'.repeat(256) }],
    ['contentType', { contentType: 'picture' }],
    ['contentType', { contentType: 'image/png\r\nset-cookie: a=b' }],
    ['contentType', { contentType: '' }],
  ])('a wrong %s: %j', async (field, input) => {
    expect(member(await create(input), 'ValidationError').path).toEqual(['input', field])
  })

  test('a VIEWER, and whoever is nobody', async () => {
    const input = { filename: 'a', contentType: 'a/b', size: 1 }
    const viewer = await app.token({ role: 'VIEWER', subject: 'viewer' })
    expect((await app.request(CreateUploadDocument, { input }, viewer)).errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' })
    expect((await app.request(CreateUploadDocument, { input }, null)).errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED' })
  })
})

describe('a form', () => {
  type Part = { name: string; body: Buffer | string; type?: string }
  const post = async (parts: Part[], token: string | null = agent, fields: Record<string, string> = {}) => {
    const form = new FormData()
    for (const [name, value] of Object.entries(fields)) form.append(name, value)
    for (const { name, body, type } of parts)
      form.append('files', new Blob([new Uint8Array(Buffer.from(body))], { type: type ?? '' }), name)
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
    return fetch(`${app.url}/uploads`, { method: 'POST', headers, body: form })
  }
  const raw = (body: string, contentType: string) =>
    fetch(`${app.url}/uploads`, { method: 'POST', headers: { authorization: `Bearer ${agent}`, 'content-type': contentType }, body })
  let before: number
  beforeEach(async () => {
    before = await app.deps.db.attachment.count()
  })

  test('brings several files at once, in their order', async () => {
    const text = 'x'.repeat(LIMIT)
    const parts = [
      { name: 'a.png', body: PNG, type: 'image/png' },
      { name: 'b.txt', body: text, type: 'text/plain' },
      { name: '../../ş "x".png', body: '<svg/>', type: 'image/png' },
    ]
    const response = await post(parts, agent, { comment: 'ignored' })
    expect(response.status).toBe(201)
    const { attachments } = (await response.json()) as { attachments: { id: string }[] }
    expect(attachments).toMatchObject([
      { filename: 'a.png', contentType: 'image/png', size: PNG.length },
      { filename: 'b.txt', contentType: 'text/plain', size: LIMIT },
      { filename: expect.not.stringContaining('/'), contentType: 'image/svg+xml', size: 6 },
    ])
    const found = await Promise.all(attachments.map(({ id }) => attachment(id)))
    expect(found.map((each) => each?.status)).toEqual(['STORED', 'STORED', 'STORED'])
    expect(await (await fetch(present(found[1]?.url))).text()).toBe(text)
  })

  test('with an API key of an AGENT', async () => {
    const CREATE_KEY = 'mutation { createApiKey(input: { name: "uploads", role: AGENT }) { ... on CreateApiKeySuccess { key } } }'
    const { createApiKey } = dataOf(await app.request<{ createApiKey: { key: string } }, object>(CREATE_KEY))
    expect((await post([{ name: 'a.png', body: PNG }], createApiKey.key)).status).toBe(201)
  })

  test('is refused without a token, with a wrong one, and from a VIEWER', async () => {
    const parts = [{ name: 'a.png', body: PNG }]
    expect((await post(parts, null)).status).toBe(401)
    expect((await post(parts, 'wrong')).status).toBe(401)
    expect(await told(await post(parts, await app.token({ role: 'VIEWER', subject: 'viewer' })))).toEqual([
      403,
      'Your role, VIEWER, does not allow this.',
    ])
    expect(await app.deps.db.attachment.count()).toBe(before)
  })

  test('with a file that is too large, empty or one too many leaves nothing of it', async () => {
    const good = { name: 'good.png', body: PNG }
    expect(await told(await post([good, { name: 'big.txt', body: 'x'.repeat(LIMIT + 1) }]))).toEqual([
      413,
      `The file big.txt is larger than ${LIMIT} bytes, the limit set by MAX_ATTACHMENT_BYTES.`,
    ])
    expect(await told(await post([good, { name: 'empty.txt', body: '' }]))).toEqual([400, 'The file empty.txt is empty.'])
    expect(await told(await post(Array.from({ length: 11 }, () => good)))).toEqual([413, 'At most 10 files are taken at a time.'])
    expect(await app.deps.db.attachment.count()).toBe(before)
  })

  test('that is none, is cut off or holds no file is refused', async () => {
    expect((await raw('{}', 'application/json')).status).toBe(415)
    expect((await raw('', 'multipart/form-data')).status).toBe(415)
    expect(await told(await post([], agent, { a: 'b' }))).toEqual([400, 'The form holds no file.'])
    const part = '--x\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\n'
    expect(await told(await raw(`${part}half`, 'multipart/form-data; boundary=x'))).toEqual([
      400,
      'The body is not a complete multipart form.',
    ])
    expect(await told(await raw(`${part}whole\r\n${part}half`, 'multipart/form-data; boundary=x'))).toEqual([
      400,
      'The body is not a complete multipart form.',
    ])
    expect(await told(await raw('nothing of the kind', 'multipart/form-data; boundary=x'))).toEqual([
      400,
      'The body is not a complete multipart form.',
    ])
    expect(await app.deps.db.attachment.count()).toBe(before)
    expect((await fetch(`${app.url}/uploads`)).status).toBe(405)
  })
})

describe('another organization', () => {
  test('does not see an upload', async () => {
    const { attachment: made, url } = await created()
    await put(url, PNG)
    await createOrganization(app.deps, { slug: 'elsewhere', name: 'Elsewhere' })
    const stranger = await app.token({ organization: 'elsewhere' })
    expect(dataOf(await app.request(AttachmentDocument, { id: made.id }, stranger)).node).toBeNull()
  })
})

describe('what no message takes up', () => {
  const later = (hours: number) => ({ ...app.deps, clock: () => new Date(Date.now() + hours * 3_600_000) })

  test('is deleted after a day, with its bytes; its link is then of no use', async () => {
    const [stored, waiting] = [await created(), await created()]
    await put(stored.url, PNG)
    const row = await app.deps.db.attachment.findUniqueOrThrow({ where: { id: present(localId('Attachment', stored.attachment.id)) } })
    await deleteUnsentUploads(later(23))
    expect(await attachment(stored.attachment.id)).not.toBeNull()
    await deleteUnsentUploads(later(25))
    expect([await attachment(stored.attachment.id), await attachment(waiting.attachment.id)]).toEqual([null, null])
    await eventually(async () => {
      await expect(app.deps.storage.get(present(row.storageKey)).toArray()).rejects.toMatchObject({ code: 'ENOENT' })
    })
    expect((await put(waiting.url, PNG)).status).toBe(404)
  })

  test('stays where a send takes it up at that very moment', async () => {
    const { db, storage } = app.deps
    const { id: organizationId } = await db.organization.findUniqueOrThrow({ where: { slug: 'demo' } })
    const customer = await db.customer.create({ data: { id: newId(), organizationId } })
    const { id: communicationId } = await db.communication.create({
      data: { id: newId(), organizationId, customerId: customer.id, type: 'SMS', direction: 'OUTBOUND', body: '', createdAt: new Date() },
    })
    const made = await created()
    await put(made.url, PNG)
    const id = present(localId('Attachment', made.attachment.id))
    const [claimed, deletion] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const sending = db.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT FROM attachment WHERE id = ${id}::uuid FOR NO KEY UPDATE`
      await tx.attachment.update({ where: { id }, data: { communicationId } })
      claimed.resolve()
      await deletion.promise
    })
    await claimed.promise
    const deleting = deleteUnsentUploads(later(25))
    await eventually(async () => {
      const { rows } = await app.deps.pool.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%DELETE FROM attachment%'`,
      )
      expect(rows[0]?.n).toBe(1)
    })
    deletion.resolve()
    await Promise.all([sending, deleting])
    const row = await db.attachment.findUniqueOrThrow({ where: { id } })
    expect([row.communicationId, Buffer.concat(await storage.get(present(row.storageKey)).toArray())]).toEqual([communicationId, PNG])
    expect(await attachment(globalId('Attachment', id))).toMatchObject({ status: 'STORED' })
  })
})

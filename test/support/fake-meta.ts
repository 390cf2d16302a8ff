import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { MetaApp } from '../../src/channels/meta/app.ts'
import { signatureOf } from '../../src/channels/meta/signature.ts'
import { startFakeServer } from './fake-server.ts'

type Json = Record<string, unknown>

/** What happens to one request. Nothing set: it is accepted and answered at once. */
export type Behaviour = {
  /** Accepted at once, answered when this resolves. */
  beforeAnswering?: Promise<unknown>
  /** The socket is destroyed: `before` the message is accepted, or `after`. */
  drop?: 'before' | 'after'
  /** Refused with this HTTP status, Meta's error object and a Retry-After header. */
  status?: number
  error?: Json
  retryAfter?: string | number
  /** Accepted, but the answer is this text instead of Meta's JSON. */
  unreadable?: string
  /** Answered with a redirect to this address. */
  redirectTo?: string
}

/** A request as it arrived. `path` is without the version; `body` the JSON, or a form's fields with `file` as FakeFile. */
export type RecordedRequest = {
  method: string
  host: string
  version: string
  path: string
  query: Record<string, string>
  authorization: string | undefined
  body: unknown
}

export type FakeFile = { filename: string; contentType: string; bytes: Buffer }

/** A message that was really accepted, whatever the sender was told. `to` is the number, page or Instagram account it was sent from. */
export type AcceptedMessage = { id: string; sender: string; body: Json }

export type FakeMeta = {
  url: string
  /** The app as the adapters are given it. */
  app: MetaApp
  accessToken: string
  requests: RecordedRequest[]
  /** Messages of all channels, in order. */
  messages: AcceptedMessage[]
  uploads: Map<string, FakeFile>
  /** Ids that were marked as read. */
  read: string[]
  /** Queues behaviours for the next POSTs to `/messages` or `/media`, in order. */
  next(...behaviours: Behaviour[]): void
  /** What GET of this path (without the version) answers; any fields are ignored. An `error` key makes it a refusal (HTTP 400). */
  objects: Map<string, Json>
  /** Stores a file and gives its media id; `url` points the metadata elsewhere, `redirectTo` and `status` are the file's answer. */
  media(content: { bytes: Buffer; contentType: string } | { url: string } | { redirectTo: string } | { status: number }): string
  /** Stores a file that needs no token, as on Meta's CDN; gives its URL. */
  cdn(content: { bytes: Buffer; contentType: string } | { redirectTo: string } | { status: number }): string
  close(): Promise<void>
}

export type FakeMetaOptions = { accessToken?: string; app?: Partial<MetaApp> }

type Stored = { bytes: Buffer; contentType: string } | { url: string } | { redirectTo: string } | { status: number }

/** What WhatsApp takes, in the words of its own refusal. */
const UPLOADABLE = new Set([
  'audio/aac',
  'audio/mp4',
  'audio/mpeg',
  'audio/amr',
  'audio/ogg',
  'audio/opus',
  'application/vnd.ms-powerpoint',
  'application/msword',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'application/pdf',
  'text/plain',
  'application/vnd.ms-excel',
  'image/jpeg',
  'image/png',
  'image/webp',
  'video/mp4',
  'video/3gpp',
])

/** A Graph API of our own on a free port of this machine. Every POST to `<id>/messages` is accepted and gets the next number. */
export async function startFakeMeta(options: FakeMetaOptions = {}): Promise<FakeMeta> {
  const accessToken = options.accessToken ?? `EAA${randomBytes(16).toString('hex')}`
  const behaviours: Behaviour[] = []
  const files = new Map<string, Stored>()
  let lastNumber = 0

  const { url, close } = await startFakeServer(answer)

  const fake: FakeMeta = {
    url,
    accessToken,
    app: {
      appId: '4711',
      appSecret: 'app-secret',
      verifyToken: 'verify-token',
      graphUrl: url,
      version: 'v26.0',
      timeoutMs: 5000,
      ...options.app,
    },
    requests: [],
    messages: [],
    uploads: new Map(),
    read: [],
    objects: new Map(),
    next: (...more) => {
      behaviours.push(...more)
    },
    media(content) {
      const id = String(700_000_000_000 + ++lastNumber)
      files.set(id, content)
      return id
    },
    cdn(content) {
      const path = `/cdn/${++lastNumber}`
      files.set(path, content)
      return `${url}${path}`
    },
    close,
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { pathname, searchParams } = new URL(request.url ?? '/', url)
    const [, version = '', path = ''] = /^\/(v\d+\.\d+)\/(.*)$/.exec(pathname) ?? []
    const body = await bodyOf(request, Buffer.concat(chunks))
    const { authorization, host = '' } = request.headers
    const method = request.method ?? ''
    fake.requests.push({
      method,
      host,
      version,
      path: path === '' ? pathname : path,
      query: Object.fromEntries(searchParams),
      authorization,
      body,
    })

    if (pathname.startsWith('/cdn/')) return serve(response, files.get(pathname))
    const given = authorization?.replace(/^Bearer /, '') ?? searchParams.get('access_token')
    // The app asks with a token of its own, for what concerns the app.
    const asApp = path === 'debug_token' || path.endsWith('/subscriptions')
    if (given !== (asApp ? `${fake.app.appId}|${fake.app.appSecret}` : accessToken)) {
      return refuse(response, 401, { message: 'Invalid OAuth access token - Cannot parse access token', type: 'OAuthException', code: 190 })
    }
    if (pathname.startsWith('/files/')) return serve(response, files.get(pathname.slice('/files/'.length)))
    if (method === 'POST' && /^[^/]+\/messages$/.test(path)) return create(response, path, body as Json)
    if (method === 'POST' && /^[^/]+\/media$/.test(path)) return upload(response, body as Json)
    const object = fake.objects.get(path)
    if (object?.error !== undefined) return refuse(response, 400, object.error as Json)
    if (object !== undefined) return json(response, 200, object)
    const file = files.get(path)
    if (method === 'GET' && file !== undefined) return describe(response, path, file)
    refuse(response, 400, {
      message: `Unsupported ${method.toLowerCase()} request. Object with ID '${path}' does not exist`,
      type: 'GraphMethodException',
      code: 100,
      error_subcode: 33,
    })
  }

  async function create(response: ServerResponse, path: string, body: Json): Promise<void> {
    await behave(response, () => {
      if (body.status === 'read') {
        fake.read.push(String(body.message_id))
        return { success: true }
      }
      const whatsapp = body.messaging_product === 'whatsapp'
      const id = whatsapp ? `wamid.${String(++lastNumber).padStart(8, '0')}` : `m_${String(++lastNumber).padStart(8, '0')}`
      const sender = path.replace(/\/messages$/, '')
      fake.messages.push({ id, sender, body })
      const recipient = (body.recipient as Json | undefined)?.id
      if (!whatsapp) return { recipient_id: recipient, message_id: id }
      const input = body.to ?? body.recipient
      const contact = body.to === undefined ? { input, user_id: input } : { input, wa_id: String(input).replace(/^\+/, '') }
      return { messaging_product: 'whatsapp', contacts: [contact], messages: [{ id }] }
    })
  }

  async function upload(response: ServerResponse, body: Json): Promise<void> {
    const { contentType } = body.file as FakeFile
    if (!UPLOADABLE.has(contentType.replace(/; ?codecs=opus$/, ''))) {
      const message = `(#100) Param file must be a file with one of the following types: ${[...UPLOADABLE].join(', ')}. Received file of type '${contentType}'.`
      return refuse(response, 400, { message, type: 'OAuthException', code: 100 })
    }
    await behave(response, () => {
      const id = String(800_000_000_000 + ++lastNumber)
      fake.uploads.set(id, body.file as FakeFile)
      return { id }
    })
  }

  async function behave(response: ServerResponse, accept: () => Json): Promise<void> {
    const behaviour = behaviours.shift() ?? {}
    if (behaviour.drop === 'before') return void response.destroy()
    if (behaviour.redirectTo !== undefined) return void response.writeHead(307, { location: behaviour.redirectTo }).end()
    if (behaviour.status !== undefined) {
      if (behaviour.retryAfter !== undefined) response.setHeader('retry-after', String(behaviour.retryAfter))
      return refuse(response, behaviour.status, behaviour.error)
    }
    const accepted = accept()
    if (behaviour.drop === 'after') return void response.destroy()
    await behaviour.beforeAnswering
    if (behaviour.unreadable !== undefined) return void response.writeHead(200, { 'content-type': 'text/html' }).end(behaviour.unreadable)
    json(response, 200, accepted)
  }

  function describe(response: ServerResponse, id: string, file: Stored): void {
    const size = 'bytes' in file ? file.bytes.length : 1
    const mimeType = 'bytes' in file ? file.contentType : 'application/octet-stream'
    const address = 'url' in file ? file.url : `${url}/files/${id}`
    json(response, 200, { id, messaging_product: 'whatsapp', url: address, mime_type: mimeType, sha256: 'x', file_size: String(size) })
  }

  return fake
}

function serve(response: ServerResponse, file: Stored | undefined): void {
  if (file === undefined || 'url' in file) response.writeHead(404).end()
  else if ('redirectTo' in file) response.writeHead(302, { location: file.redirectTo }).end()
  else if ('status' in file) response.writeHead(file.status).end()
  else response.writeHead(200, { 'content-type': file.contentType }).end(file.bytes)
}

/** A form becomes its fields, a file a FakeFile; anything else is JSON, or null where it is not. */
async function bodyOf(request: IncomingMessage, bytes: Buffer): Promise<unknown> {
  const contentType = request.headers['content-type'] ?? ''
  if (bytes.length === 0) return null
  if (!contentType.startsWith('multipart/form-data')) return JSON.parse(bytes.toString('utf8'))
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': contentType } }).formData()
  const fields = await Promise.all(
    [...form].map(async ([name, value]): Promise<[string, unknown]> => {
      if (typeof value === 'string') return [name, value]
      return [name, { filename: value.name, contentType: value.type, bytes: Buffer.from(await value.arrayBuffer()) } satisfies FakeFile]
    }),
  )
  return Object.fromEntries(fields)
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' }).end(JSON.stringify(body))
}

function refuse(
  response: ServerResponse,
  status: number,
  error: Json = { message: 'refused by the test', type: 'OAuthException', code: 1 },
): void {
  json(response, status, { error: { fbtrace_id: 'AbCdEfGhIjKl', ...error } })
}

/** Posts a webhook body with Meta's signature. */
export function signedPost(url: string, body: unknown, appSecret: string): Promise<Response> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'facebookexternalua',
      'x-hub-signature-256': signatureOf(bytes, appSecret),
    },
    body: new Uint8Array(bytes),
  })
}

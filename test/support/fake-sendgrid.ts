import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { startFakeServer } from './fake-server.ts'

/** What happens to one send. Nothing set: it is accepted with an id of its own. */
export type MailBehaviour = {
  /** Refused with this HTTP status, SendGrid's messages, and headers. */
  status?: number
  errors?: { message: string; field?: string | null }[]
  headers?: Record<string, string>
  /** The socket is destroyed: `before` the mail is accepted, or `after`. */
  drop?: 'before' | 'after'
  /** Accepted, but the answer has no X-Message-Id. */
  withoutId?: boolean
  /** Accepted at once, answered when this resolves. */
  beforeAnswering?: Promise<unknown>
}

export type MailRequest = {
  from: { email: string; name?: string }
  reply_to?: { email: string; name?: string }
  subject: string
  content: { type: string; value: string }[]
  personalizations: { to: { email: string }[]; custom_args?: Record<string, string> }[]
  headers?: Record<string, string>
  attachments?: { content: string; filename: string; type: string; disposition: string }[]
  asm?: { group_id: number }
}

/** A mail that was really accepted, whatever the sender was told. */
export type AcceptedMail = { id: string; mail: MailRequest }

export type FakeSendgrid = {
  url: string
  apiKey: string
  /** Verifies what `events` posts. */
  publicKey: string
  requests: { method: string; path: string; authorization: string | undefined }[]
  mails: AcceptedMail[]
  next(...behaviours: MailBehaviour[]): void
  /** What the account has set up; null: the API key may not read it. */
  account: {
    scopes: string[]
    domains: { domain: string; valid: boolean }[] | null
    senders: { from_email: string; verified: boolean }[] | null
    parse: { url: string; hostname: string }[] | null
    events: { enabled: boolean; url: string; delivered: boolean; bounce: boolean }[] | null
  }
  /** Posts these events, signed as SendGrid does. */
  events(url: string, events: readonly object[]): Promise<Response>
  /** Posts an event about a mail that was accepted, with what every event about it has. */
  event(url: string, id: string, event: string, more?: object): Promise<Response>
  close(): Promise<void>
}

const newId = (): string => randomBytes(16).toString('base64url')

/** Headers that SendGrid signs a body with. */
export function signedHeaders(
  privateKey: Parameters<typeof sign>[2],
  body: Buffer | string,
  timestamp = '1600112502',
): Record<string, string> {
  const signature = sign('sha256', Buffer.concat([Buffer.from(timestamp), Buffer.from(body)]), privateKey).toString('base64')
  return { 'x-twilio-email-event-webhook-signature': signature, 'x-twilio-email-event-webhook-timestamp': timestamp }
}

/** A SendGrid of our own on a free port of this machine. */
export async function startFakeSendgrid(): Promise<FakeSendgrid> {
  const apiKey = `SG.${newId()}.${newId()}`
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const behaviours: MailBehaviour[] = []

  const { url, close } = await startFakeServer(answer)

  const fake: FakeSendgrid = {
    url,
    apiKey,
    publicKey: keys.publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    requests: [],
    mails: [],
    next: (...more) => {
      behaviours.push(...more)
    },
    account: { scopes: ['mail.send'], domains: [], senders: [], parse: [], events: [] },
    events(url, events) {
      const body = JSON.stringify(events)
      return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...signedHeaders(keys.privateKey, body) }, body })
    },
    event(url, id, event, more = {}) {
      const accepted = fake.mails.find((each) => each.id === id)
      if (accepted === undefined) throw new Error(`no mail ${id} was accepted`)
      const [personalization] = accepted.mail.personalizations
      const common = {
        email: personalization?.to[0]?.email,
        timestamp: Math.floor(Date.now() / 1000),
        event,
        sg_event_id: newId(),
        sg_message_id: `${id}.recvd-1.1.1.0`,
      }
      return fake.events(url, [{ ...common, ...personalization?.custom_args, ...more }])
    },
    close,
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { pathname } = new URL(request.url ?? '/', fake.url)
    const { authorization } = request.headers
    fake.requests.push({ method: request.method ?? '', path: pathname, authorization })
    if (authorization !== `Bearer ${apiKey}`)
      return json(response, 401, { errors: [{ message: 'The provided authorization grant is invalid, expired, or revoked' }] })
    if (request.method === 'POST' && pathname === '/v3/mail/send')
      return accept(response, JSON.parse(Buffer.concat(chunks).toString('utf8')) as MailRequest)
    const { scopes, domains, senders, parse, events } = fake.account
    const answers: Record<string, unknown> = {
      '/v3/scopes': { scopes },
      '/v3/whitelabel/domains': domains,
      '/v3/verified_senders': senders && { results: senders },
      '/v3/user/webhooks/parse/settings': parse && { result: parse },
      '/v3/user/webhooks/event/settings/all': events && { max_allowed: 5, webhooks: events },
    }
    const found = answers[pathname]
    if (found === undefined) return json(response, 404, { errors: [{ message: 'not found' }] })
    if (found === null) return json(response, 403, { errors: [{ message: 'access forbidden' }] })
    json(response, 200, found)
  }

  async function accept(response: ServerResponse, mail: MailRequest): Promise<void> {
    const { status, errors = [], headers = {}, drop, withoutId, beforeAnswering } = behaviours.shift() ?? {}
    if (drop === 'before') return void response.destroy()
    if (status !== undefined) return json(response, status, { errors }, headers)
    // As SendGrid: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors
    const wrong = mail.attachments?.findIndex(({ type }) => /[;\r\n]/.test(type)) ?? -1
    if (wrong >= 0) {
      const message = "The attachment type cannot contain ';', or CRLF characters."
      return json(response, 400, { errors: [{ message, field: `attachments.${wrong}.type` }] })
    }
    const id = newId()
    fake.mails.push({ id, mail })
    if (drop === 'after') return void response.destroy()
    await beforeAnswering
    response.writeHead(202, withoutId === true ? {} : { 'x-message-id': id }).end()
  }

  return fake
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ParsedUrlQuery, parse, stringify } from 'node:querystring'
import twilio from 'twilio'
import { startFakeServer } from './fake-server.ts'

/** What happens to one send. Nothing set: it is accepted and answered at once. */
export type SendBehaviour = {
  /** Accepted at once, answered after this many milliseconds. */
  delayMs?: number
  /** The request is here, but is accepted only when this resolves. */
  beforeAccepting?: Promise<unknown>
  /** Accepted at once, answered when this resolves. */
  beforeAnswering?: Promise<unknown>
  /** The socket is destroyed: `before` the message is accepted, or `after`. */
  drop?: 'before' | 'after'
  /** Refused with this HTTP status, Twilio's code and message, and a Retry-After header. */
  status?: number
  code?: number
  message?: string
  retryAfter?: string | number
  /** Accepted, but the answer is this text instead of Twilio's JSON. */
  unreadable?: string
  /** Statuses that are posted to the StatusCallback before the send itself is answered. */
  callbacksFirst?: string[]
  /** Every status callback of this message is posted twice. */
  answerTwice?: boolean
}

/** A request as it arrived; `at` as `performance.now()` says it. */
export type RecordedRequest = { method: string; path: string; authorization: string | undefined; params: ParsedUrlQuery; at: number }

/** A message that was really accepted, whatever the sender was told. */
export type AcceptedMessage = { sid: string; params: ParsedUrlQuery; answerTwice: boolean }

export type InboundMessage = { url: string; to: string; from: string; body?: string; messageSid?: string; params?: Record<string, string> }

type Media = { bytes: Buffer; contentType: string } | { redirectTo: string } | { status: number }

export type FakeTwilio = {
  url: string
  credentials: { accountSid: string; authToken: string }
  requests: RecordedRequest[]
  messages: AcceptedMessage[]
  /** Queues behaviours for the next sends, in order. */
  next(...behaviours: SendBehaviour[]): void
  /** The account's state, and its numbers with their webhooks. `silent`: what is asked about it is not answered. */
  account: { status: string; silent: boolean; numbers: { phoneNumber: string; smsUrl: string; smsMethod: string }[] }
  /** The account's Content templates, in the words of Twilio's Content API; listed in pages of two. */
  contents: Record<string, unknown>[]
  /** Stores media and gives the MediaUrl; `redirectTo` answers 307 with that location, `status` with that status. */
  media(content: Media): string
  /** Stores media where no credentials are needed, as on the CDN that Twilio redirects to; gives its URL. */
  cdn(content: Media): string
  /** Posts a signed status callback to the URL that the message's request carried; the answers' HTTP statuses. */
  callback(messageSid: string, status: string, extra?: Record<string, string>): Promise<number[]>
  /** Posts exactly these parameters, signed. */
  post(url: string, params: Record<string, string>): Promise<Response>
  /** Posts a signed inbound webhook. */
  inbound(message: InboundMessage): Promise<{ status: number; contentType: string | null; body: string; messageSid: string }>
  close(): Promise<void>
}

export type FakeTwilioOptions = {
  accountSid?: string
  authToken?: string
  /** Where a public URL is reached from here; the signature is always over the public one. */
  reach?: (publicUrl: string) => string
}

/** A 34-character SID as Twilio makes them. */
export const newSid = (prefix: string): string => `${prefix}${randomBytes(16).toString('hex')}`

/** A Twilio of our own on a free port of this machine. */
export async function startFakeTwilio(options: FakeTwilioOptions = {}): Promise<FakeTwilio> {
  const credentials = { accountSid: options.accountSid ?? newSid('AC'), authToken: options.authToken ?? randomBytes(16).toString('hex') }
  const reach = options.reach ?? ((url: string) => url)
  const accountPath = `/2010-04-01/Accounts/${credentials.accountSid}`
  const behaviours: SendBehaviour[] = []
  const medias = new Map<string, Media>()

  const { url, close } = await startFakeServer(answer)

  const fake: FakeTwilio = {
    url,
    credentials,
    requests: [],
    messages: [],
    account: { status: 'active', silent: false, numbers: [] },
    contents: [],
    next: (...more) => {
      behaviours.push(...more)
    },
    media(content) {
      const path = `${accountPath}/Messages/${newSid('MM')}/Media/${newSid('ME')}`
      medias.set(path, content)
      return `${url}${path}`
    },
    cdn(content) {
      const path = `/cdn/${newSid('ME')}`
      medias.set(path, content)
      return `${url}${path}`
    },
    async callback(messageSid, status, extra = {}) {
      const message = fake.messages.find(({ sid }) => sid === messageSid)
      if (message === undefined) throw new Error(`no message ${messageSid} was accepted`)
      const target = message.params.StatusCallback
      if (typeof target !== 'string') throw new Error(`the message ${messageSid} came without a StatusCallback`)
      const { To, From, MessagingServiceSid } = message.params
      const params = {
        AccountSid: credentials.accountSid,
        ApiVersion: '2010-04-01',
        MessageSid: messageSid,
        SmsSid: messageSid,
        MessageStatus: status,
        SmsStatus: status,
        ...stringsOf({ To, From, MessagingServiceSid }),
        ...extra,
      }
      const answers: number[] = []
      for (let time = 0; time < (message.answerTwice ? 2 : 1); time++) answers.push((await post(target, params)).status)
      return answers
    },
    post,
    async inbound({ url: target, to, from, body = '', messageSid = newSid('SM'), params = {} }) {
      const sent = await post(target, {
        AccountSid: credentials.accountSid,
        ApiVersion: '2010-04-01',
        MessageSid: messageSid,
        SmsSid: messageSid,
        SmsMessageSid: messageSid,
        SmsStatus: 'received',
        NumMedia: '0',
        NumSegments: '1',
        To: to,
        From: from,
        Body: body,
        ...params,
      })
      return { status: sent.status, contentType: sent.headers.get('content-type'), body: await sent.text(), messageSid }
    },
    close,
  }

  /** Twilio does not send the fragment, which holds connection overrides, and does not sign it. */
  async function post(target: string, params: Record<string, string>): Promise<Response> {
    const [publicUrl = ''] = target.split('#')
    const signature = twilio.getExpectedTwilioSignature(credentials.authToken, publicUrl, params)
    return fetch(reach(publicUrl), {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
        'user-agent': 'TwilioProxy/1.1',
        'i-twilio-idempotency-token': crypto.randomUUID(),
        'x-twilio-signature': signature,
      },
      body: stringify(params),
    })
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { pathname, searchParams } = new URL(request.url ?? '/', url)
    const { authorization } = request.headers
    const params = request.method === 'POST' ? parse(Buffer.concat(chunks).toString('utf8')) : Object.fromEntries(searchParams)
    fake.requests.push({ method: request.method ?? '', path: pathname, authorization, params, at: performance.now() })

    if (pathname.startsWith('/cdn/')) return serve(response, pathname)
    const basic = Buffer.from(`${credentials.accountSid}:${credentials.authToken}`).toString('base64')
    if (authorization !== `Basic ${basic}`) return refuse(response, 401, 20003, 'Authenticate')
    if (request.method === 'POST' && pathname === `${accountPath}/Messages.json`) return create(response, params)
    if (fake.account.silent && request.method === 'GET') return void response.destroy()
    if (pathname === `${accountPath}.json`) return json(response, 200, { sid: credentials.accountSid, status: fake.account.status })
    if (pathname === `${accountPath}/IncomingPhoneNumbers.json`) {
      const found = fake.account.numbers.filter(({ phoneNumber }) => phoneNumber === params.PhoneNumber)
      const listed = found.map(({ phoneNumber, smsUrl, smsMethod }) => ({
        phone_number: phoneNumber,
        sms_url: smsUrl,
        sms_method: smsMethod,
      }))
      return json(response, 200, { incoming_phone_numbers: listed, page: 0, page_size: 50, next_page_uri: null })
    }
    if (pathname === '/v1/ContentAndApprovals') return json(response, 200, contentPage(Number(params.Page ?? 0)))
    serve(response, pathname)
  }

  /** As Twilio does, it names the next page by its own public address. */
  function contentPage(page: number): object {
    const more = fake.contents.length > (page + 1) * 2
    const next_page_url = more ? `https://content.twilio.com/v1/ContentAndApprovals?PageSize=2&Page=${page + 1}` : null
    return { contents: fake.contents.slice(page * 2, page * 2 + 2), meta: { key: 'contents', page, page_size: 2, next_page_url } }
  }

  function serve(response: ServerResponse, pathname: string): void {
    const media = medias.get(pathname)
    if (media === undefined) refuse(response, 404, 20404, `The requested resource ${pathname} was not found`)
    else if ('redirectTo' in media) response.writeHead(307, { location: media.redirectTo }).end()
    else if ('status' in media) response.writeHead(media.status).end()
    else response.writeHead(200, { 'content-type': media.contentType }).end(media.bytes)
  }

  async function create(response: ServerResponse, params: ParsedUrlQuery): Promise<void> {
    const behaviour = behaviours.shift() ?? {}
    await behaviour.beforeAccepting
    if (behaviour.drop === 'before') return void response.destroy()
    if (behaviour.status !== undefined) {
      if (behaviour.retryAfter !== undefined) response.setHeader('retry-after', String(behaviour.retryAfter))
      return refuse(response, behaviour.status, behaviour.code, behaviour.message ?? 'refused by the test')
    }
    const sid = newSid('SM')
    fake.messages.push({ sid, params, answerTwice: behaviour.answerTwice ?? false })
    if (behaviour.drop === 'after') return void response.destroy()
    for (const status of behaviour.callbacksFirst ?? []) await fake.callback(sid, status)
    await behaviour.beforeAnswering
    if (behaviour.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, behaviour.delayMs).unref())
    if (behaviour.unreadable !== undefined) return void response.writeHead(201, { 'content-type': 'text/html' }).end(behaviour.unreadable)
    json(response, 201, {
      sid,
      account_sid: credentials.accountSid,
      status: 'queued',
      to: params.To,
      from: params.From ?? null,
      body: params.Body ?? '',
    })
  }

  return fake
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function refuse(response: ServerResponse, status: number, code: number | undefined, message: string): void {
  json(response, status, { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status })
}

function stringsOf(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

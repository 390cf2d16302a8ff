import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { startFakeServer } from '../../test/support/fake-server.ts'
import type { Random } from './random.ts'

/** What the provider knows of one communication. `answers`: what it said, in order; each acceptance has given an external id. */
export type Sent = {
  accepted: string[]
  acceptedAt: number
  answers: Fate[]
  /** The receipts that were acknowledged. */
  receipts: Status[]
}

export type Status = 'SENT' | 'DELIVERED' | 'READ' | 'FAILED'

/** A message as it was accepted: with what its receipts need. `to` as the wire spells it. */
export type Accepted = { communicationId: string; externalId: string; to: string } & (
  | { wire: 'twilio'; statusUrl: string }
  | { wire: 'meta'; phoneNumberId: string }
)

/** The last four leave it open to the sender whether the message was taken. */
type Fate = 'answered' | 'refused' | 'limited' | 'away' | 'lost' | 'failed' | 'dropped'

export type Provider = { url: string; sent: Map<string, Sent>; close(): Promise<void> }

/** Of a thousand sends; the others are answered. */
const FATES: [Fate, number][] = [
  ['limited', 20],
  ['away', 10],
  ['refused', 10],
  ['lost', 8],
  ['failed', 4],
  ['dropped', 4],
]

const TAKEN = new Set<Fate>(['answered', 'lost', 'failed'])

/** Twilio and Meta in one: takes what is sent in some 50 ms, not always, and remembers it. `accepted` is told of each that it took. */
export async function startProvider(random: Random, accepted: (message: Accepted) => void): Promise<Provider> {
  const sent = new Map<string, Sent>()

  const take = async (response: ServerResponse, message: Accepted, answer: object) => {
    const { communicationId, externalId } = message
    const known = sent.get(communicationId) ?? { accepted: [], acceptedAt: 0, answers: [], receipts: [] }
    sent.set(communicationId, known)
    const fate = fateOf(random.below(1000))
    await sleep(random.between(30, 70))
    known.answers.push(fate)
    if (TAKEN.has(fate)) {
      known.accepted.push(externalId)
      known.acceptedAt = Date.now()
      accepted(message)
    }
    if (fate === 'answered') return json(response, message.wire === 'twilio' ? 201 : 200, answer)
    if (fate === 'limited') return json(response, 429, {}, { 'retry-after': '1' })
    if (fate === 'away') return json(response, 503, {})
    if (fate === 'failed') return json(response, 500, {})
    if (fate === 'refused') return json(response, 400, refusals[message.wire])
    response.destroy()
  }

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request)
    const { pathname } = new URL(request.url ?? '/', 'http://provider')
    if (pathname.endsWith('/Messages.json')) {
      const form = new URLSearchParams(body)
      const statusUrl = form.get('StatusCallback') ?? ''
      const communicationId = new URL(statusUrl).searchParams.get('communicationId') ?? ''
      const sid = `SM${randomBytes(16).toString('hex')}`
      await take(
        response,
        { wire: 'twilio', communicationId, externalId: sid, to: form.get('To') ?? '', statusUrl },
        { sid, status: 'queued' },
      )
      return
    }
    const phoneNumberId = /^\/v[\d.]+\/(\d+)\/messages$/.exec(pathname)?.[1]
    if (phoneNumberId === undefined) return json(response, 404, {})
    const message = JSON.parse(body) as { status?: string; to: string; biz_opaque_callback_data: string }
    if (message.status === 'read') return json(response, 200, { success: true })
    const id = `wamid.${randomBytes(16).toString('hex')}`
    const { to, biz_opaque_callback_data: communicationId } = message
    await take(response, { wire: 'meta', communicationId, externalId: id, to, phoneNumberId }, { messages: [{ id }] })
  }

  return { sent, ...(await startFakeServer(answer)) }
}

const refusals = {
  twilio: { code: 21211, message: "The 'To' number is not a valid phone number.", status: 400 },
  meta: { error: { code: 131026, message: 'Message undeliverable', type: 'OAuthException' } },
}

function fateOf(number: number): Fate {
  let end = 0
  for (const [fate, share] of FATES) {
    end += share
    if (number < end) return fate
  }
  return 'answered'
}

function json(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

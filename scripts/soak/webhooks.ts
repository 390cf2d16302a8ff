import { setTimeout as sleep } from 'node:timers/promises'
import twilio from 'twilio'
import { signatureOf } from '../../src/channels/meta/signature.ts'
import { reasonOf } from './graph.ts'
import { TWILIO } from './organizations.ts'
import type { Random } from './random.ts'
import type { Tally } from './tally.ts'

/** A request as a provider signs it. */
export type Webhook = { path: string; headers: Record<string, string>; body: string }

/** What providers sign in front of the path; nobody connects to it. */
export const PUBLIC_URL = 'https://parley.example'
export const META_APP = { appId: '4711', appSecret: 'soak-app-secret', verifyToken: 'soak-verify-token' }

export function twilioWebhook(path: string, params: Record<string, string>): Webhook {
  const all = { AccountSid: TWILIO.accountSid, ApiVersion: '2010-04-01', ...params }
  return {
    path,
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'user-agent': 'TwilioProxy/1.1',
      'x-twilio-signature': twilio.getExpectedTwilioSignature(TWILIO.authToken, PUBLIC_URL + path, all),
    },
    body: new URLSearchParams(all).toString(),
  }
}

/** One POST about several numbers, each with its messages or statuses. */
export function metaWebhook(values: { phoneNumberId: string; value: object }[]): Webhook {
  const entry = values.map(({ phoneNumberId, value }) => ({
    id: phoneNumberId,
    changes: [{ field: 'messages', value: { messaging_product: 'whatsapp', metadata: { phone_number_id: phoneNumberId }, ...value } }],
  }))
  const body = JSON.stringify({ object: 'whatsapp_business_account', entry })
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'facebookexternalua',
    'x-hub-signature-256': signatureOf(Buffer.from(body), META_APP.appSecret),
  }
  return { path: '/webhooks/meta', headers, body }
}

/** Posts again and again until it is acknowledged, as providers do. */
export type Post = (tally: Tally, webhook: Webhook) => Promise<void>

const TIMEOUT_MS = 20_000
const MAX_PAUSE_MS = 4_000

export function createPost(ports: readonly number[], random: Random): Post {
  return async (tally, { path, headers, body }) => {
    for (let pause = 500; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
      const start = performance.now()
      const problem = await attempt(`http://127.0.0.1:${random.pick(ports)}${path}`, headers, body)
      const milliseconds = performance.now() - start
      if (problem === null) return tally.answer(milliseconds)
      tally.fail(problem, milliseconds)
      await sleep(pause * random.between(0.5, 1))
    }
  }
}

async function attempt(url: string, headers: Record<string, string>, body: string): Promise<string | null> {
  try {
    const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(TIMEOUT_MS) })
    await response.arrayBuffer()
    return response.ok ? null : `HTTP ${response.status}`
  } catch (error) {
    return reasonOf(error)
  }
}

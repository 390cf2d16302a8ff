import { setTimeout as sleep } from 'node:timers/promises'
import type { Accepted, Sent, Status } from './provider.ts'
import type { Random } from './random.ts'
import type { Tally } from './tally.ts'
import { metaWebhook, type Post, PUBLIC_URL, twilioWebhook, type Webhook } from './webhooks.ts'

/** Of the accepted messages: nothing more is ever heard of them; they fail in the end; they are read. Of the receipts: told twice. */
const SILENT = 0.1
const FAILING = 0.02
const READ = 0.3
const TWICE = 0.05

/**
 * Tells what became of a message, once and again until it is acknowledged. Each status has a delay of its own, so some overtake those
 * before them.
 */
export async function reportLater(random: Random, post: Post, tally: Tally, message: Accepted, sent: Sent): Promise<void> {
  if (random.chance(SILENT)) return
  const report = async (status: Status, min: number, max: number) => {
    await sleep(random.between(min, max))
    const webhook = receiptOf(message, status)
    await post(tally, webhook)
    sent.receipts.push(status)
    if (random.chance(TWICE)) await post(tally, webhook)
  }
  const fails = random.chance(FAILING)
  await Promise.all([
    report('SENT', 20, 1_500),
    report(fails ? 'FAILED' : 'DELIVERED', 200, 3_000),
    ...(!fails && random.chance(READ) ? [report('READ', 1_000, 6_000)] : []),
  ])
}

function receiptOf(message: Accepted, status: Status): Webhook {
  const { communicationId, externalId, to } = message
  if (message.wire === 'twilio') {
    const { pathname, search } = new URL(message.statusUrl, PUBLIC_URL)
    const spoken = status.toLowerCase()
    const failure: Record<string, string> = status === 'FAILED' ? { ErrorCode: '30005' } : {}
    return twilioWebhook(pathname + search, {
      MessageSid: externalId,
      SmsSid: externalId,
      MessageStatus: spoken,
      SmsStatus: spoken,
      To: to,
      ...failure,
    })
  }
  const failure = status === 'FAILED' ? { errors: [{ code: 131026, title: 'Message undeliverable' }] } : {}
  const item = {
    id: externalId,
    status: status.toLowerCase(),
    timestamp: String(Math.floor(Date.now() / 1000)),
    recipient_id: to.replace('+', ''),
    biz_opaque_callback_data: communicationId,
    ...failure,
  }
  return metaWebhook([{ phoneNumberId: message.phoneNumberId, value: { statuses: [item] } }])
}

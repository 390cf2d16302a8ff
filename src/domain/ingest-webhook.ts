import type { AnyChannelAdapter, Fact, RawRequest } from '../channels/channel.ts'
import type { ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { receiveMessage } from './receive-message.ts'
import { recordReceipt } from './record-receipt.ts'
import { storeWebhook } from './store-webhook.ts'

type Account = { id: string; organizationId: string; channel: ChannelType }

export type IngestOutcome = 'applied' | 'duplicate' | 'unparsed'

/** Stores a verified webhook together with what it says. It is safe to acknowledge when this resolves, and not before. */
export async function ingestWebhook(
  deps: Pick<Deps, 'db' | 'pool' | 'bus'>,
  account: Account,
  adapter: AnyChannelAdapter,
  request: RawRequest,
  facts: Fact[],
): Promise<IngestOutcome> {
  const raw = { url: request.url, headers: keptHeaders(request.headers), body: request.body }
  let outcome: IngestOutcome = 'duplicate'
  for (const fact of facts) {
    if (fact.kind === 'message') {
      const received = await receiveMessage(deps, account, adapter.capabilities.messagingWindowHours, raw, fact)
      if (received !== null) outcome = 'applied'
    } else if (fact.kind === 'receipt') {
      await recordReceipt(deps, account, raw, fact)
      outcome = 'applied'
    } else {
      await storeWebhook(deps.db, account, raw, fact.reason)
      if (outcome === 'duplicate') outcome = 'unparsed'
    }
  }
  return outcome
}

// A signature is no secret, but cookies and authorization would be.
const KEPT_HEADERS = new Set(['content-type', 'user-agent', 'i-twilio-idempotency-token', 'x-home-region', 'x-twilio-signature'])

const keptHeaders = (headers: RawRequest['headers']): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => KEPT_HEADERS.has(name)))

import { buffer } from 'node:stream/consumers'
import type { AnyChannelAdapter, RawRequest } from '../channels/channel.ts'
import type { WebhookReceipt } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import type { Actor } from './actor.ts'
import { NotFoundError, ValidationError } from './errors.ts'
import { applyArrival } from './ingest-webhook.ts'
import { rereadMessages } from './reread-message.ts'
import { routeWebhook } from './route-webhook.ts'
import { readWebhookAccounts, type WebhookAccount, type WebhookAccounts } from './webhook-accounts.ts'

/**
 * Applies a kept webhook once more, e.g. after its account was connected or Parley has learned to read it. What was applied before stays as
 * it is; a message that was kept as unsupported becomes what it is now known to be. Throws NotFoundError, ValidationError.
 */
export async function replayWebhookReceipt(deps: Deps, actor: Actor, webhookReceiptId: string): Promise<WebhookReceipt> {
  const { organizationId } = actor
  const path = ['input', 'webhookReceiptId']
  const receipt = await deps.db.webhookReceipt.findFirst({ where: { id: webhookReceiptId, organizationId } })
  if (receipt === null) throw new NotFoundError('webhook receipt', path)
  const adapters = deps.channels.speaking(receipt.wire)
  const wire = adapters[0]?.wire
  if (wire === undefined || wire === null) throw new ValidationError(`Nothing here speaks ${receipt.wire} any more.`, path)
  const request = await requestOf(deps, receipt)
  const accounts = readWebhookAccounts(deps)
  const verified = await accountOf(deps, accounts, adapters, receipt, organizationId)
  const parts = await wire.parse(receipt.segment, request)
  const { deliveries, unrouted } = await routeWebhook(accounts, { organizationId }, adapters, parts, verified)
  if (deliveries.length === 0 && unrouted.length > 0) {
    return finish(deps, receipt, { status: 'UNROUTED', problem: 'no active channel account has its address' })
  }
  const { id, channelAccountId, wire: wirePath, segment, url, headers, body, storageKey, size } = receipt
  const kept = headers as Record<string, string>
  const bytes = body === null ? null : Buffer.from(body)
  const raw = { id, organizationId, channelAccountId, wire: wirePath, segment, url, headers: kept, body: bytes, storageKey, size }
  const status = await applyArrival(deps, raw, deliveries)
  await rereadMessages(deps, deliveries)
  // What was received before is applied, whoever applied it.
  return finish(deps, receipt, status === 'DUPLICATE' || status === 'APPLIED' ? { status: 'APPLIED', problem: null } : {})
}

/** The account that the webhook was for, as far as it is active; null: none was known. */
async function accountOf(
  deps: Pick<Deps, 'db'>,
  accounts: WebhookAccounts,
  adapters: readonly AnyChannelAdapter[],
  { channelAccountId: id }: WebhookReceipt,
  organizationId: string,
): Promise<WebhookAccount | null> {
  const row = id === null ? null : await deps.db.channelAccount.findFirst({ where: { id, organizationId } })
  if (row === null) return null
  const { channel, address } = row
  const { accounts: found } = await accounts.find({ organizationId }, adapters, { channel, addresses: [address], communicationId: null })
  return found.find(({ account }) => account.id === id) ?? null
}

async function requestOf(deps: Pick<Deps, 'storage'>, receipt: WebhookReceipt): Promise<RawRequest> {
  const { url, headers, body, storageKey } = receipt
  const bytes = body === null ? await buffer(deps.storage.get(storageKey ?? '')) : Buffer.from(body)
  return { method: 'POST', url, headers: headers as Record<string, string>, body: bytes }
}

async function finish(
  deps: Pick<Deps, 'db' | 'clock'>,
  { id }: WebhookReceipt,
  result: { status?: WebhookReceipt['status']; problem?: string | null },
): Promise<WebhookReceipt> {
  return deps.db.webhookReceipt.update({ where: { id }, data: { ...result, replays: { increment: 1 }, replayedAt: deps.clock() } })
}

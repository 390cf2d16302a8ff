import type { RawRequest } from '../channels/channel.ts'
import type { WebhookReceiptStatus } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import type { Tx } from '../events/transact.ts'
import { newId } from './ids.ts'
import { cleanText } from './text.ts'

/** A webhook as it is kept, ready to be written together with what it becomes. `organizationId` null: nobody's. */
export type RawReceipt = {
  id: string
  organizationId: string | null
  channelAccountId: string | null
  wire: string
  segment: string
  url: string
  headers: Record<string, string>
  body: Buffer | null
  storageKey: string | null
  size: number
}

type Place = Pick<RawReceipt, 'organizationId' | 'channelAccountId' | 'wire' | 'segment'>

/** PostgreSQL is no place for e-mails with their attachments. */
const MAX_IN_DATABASE = 256_000

// A signature is no secret, but cookies and authorization would be.
const KEPT_HEADERS = [
  'content-type',
  'user-agent',
  'i-twilio-idempotency-token',
  'x-home-region',
  'x-twilio-signature',
  'x-hub-signature-256',
  'x-twilio-email-event-webhook-signature',
  'x-twilio-email-event-webhook-timestamp',
]

/** Large bodies go to the storage at once, and only their key into the database. */
export async function rawReceipt(deps: Pick<Deps, 'storage'>, place: Place, request: RawRequest, body: Buffer): Promise<RawReceipt> {
  const id = newId()
  const storageKey = body.byteLength > MAX_IN_DATABASE ? `webhooks/${place.organizationId ?? 'nobody'}/${id}` : null
  if (storageKey !== null) await deps.storage.put(storageKey, body)
  return {
    ...place,
    id,
    url: cleanText(withoutSecret(request.url)),
    headers: kept(request.headers),
    body: storageKey === null ? body : null,
    storageKey,
    size: body.byteLength,
  }
}

function kept(headers: RawRequest['headers']): Record<string, string> {
  const clean: Record<string, string> = {}
  for (const name of KEPT_HEADERS) {
    const value = headers[name]
    if (value !== undefined) clean[name] = cleanText(value)
  }
  return clean
}

/** What proved the sender has done its work: the secret of SendGrid's addresses is kept encrypted, and nowhere else. */
function withoutSecret(address: string): string {
  if (!address.includes('?')) return address
  const url = URL.parse(address)
  if (url === null || !url.searchParams.has('key')) return address
  url.searchParams.delete('key')
  return url.href
}

/** Keeps a webhook; one that is kept already stays as it is. */
export async function storeWebhook(tx: Tx, raw: RawReceipt, status: WebhookReceiptStatus, problem: string | null = null): Promise<void> {
  const { body, ...columns } = raw
  await tx.webhookReceipt.createMany({
    data: [{ ...columns, body: body === null ? null : new Uint8Array(body), status, problem }],
    skipDuplicates: true,
  })
}

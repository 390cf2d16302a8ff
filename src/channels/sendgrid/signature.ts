import { createHash, createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto'
import type { RawRequest } from '../channel.ts'

const SIGNATURE = 'x-twilio-email-event-webhook-signature'
const TIMESTAMP = 'x-twilio-email-event-webhook-timestamp'

/**
 * Whether SendGrid signed the request: ECDSA over timestamp and body, both for events and for Inbound Parse with a security policy. Over the
 * bytes themselves: the files of an e-mail are no text. `publicKey`: base64 of its SPKI.
 * Source: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
 */
export function isSigned(request: RawRequest, publicKey: string): boolean {
  const signature = request.headers[SIGNATURE]
  const timestamp = request.headers[TIMESTAMP]
  if (signature === undefined || timestamp === undefined) return false
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
    return verify('sha256', Buffer.concat([Buffer.from(timestamp), request.body]), key, Buffer.from(signature, 'base64'))
  } catch {
    // What is no key or no signature verifies nothing.
    return false
  }
}

/** Whether there is anything that `isSigned` could look at. */
export const hasSignature = ({ headers }: Pick<RawRequest, 'headers'>): boolean =>
  Boolean(headers[SIGNATURE]) && Boolean(headers[TIMESTAMP])

/** Whether the address that was called has this secret as its `key`. */
export function hasSecret(request: Omit<RawRequest, 'body'>, secret: string): boolean {
  const given = URL.parse(request.url)?.searchParams.get('key')
  return given !== null && given !== undefined && secret !== '' && isSame(given, secret)
}

/** What proves that an unsubscribe link is ours: over our id of the message, and the recipient. */
export const unsubscribeSignature = (secret: string, communicationId: string, address: string): string =>
  createHmac('sha256', secret).update(`unsubscribe ${communicationId} ${address}`).digest('base64url')

/** In constant time, whatever the lengths. */
export const isSame = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other))

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

import { createHmac, timingSafeEqual } from 'node:crypto'

const FORM = /^sha256=([0-9a-f]{64})$/i

/** The `X-Hub-Signature-256` of a body. Source: https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads */
export const signatureOf = (body: Buffer, appSecret: string): string =>
  `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}`

/** In constant time; false where there is no secret to check with. */
export function isSigned(body: Buffer, signature: string | undefined, appSecret: string | null): boolean {
  const given = FORM.exec(signature ?? '')?.[1]
  if (given === undefined || appSecret === null || appSecret === '') return false
  return timingSafeEqual(Buffer.from(given, 'hex'), createHmac('sha256', appSecret).update(body).digest())
}

/** In time that says nothing about where two texts differ. */
export function isSameText(a: string, b: string): boolean {
  const digest = (text: string) => createHmac('sha256', 'length').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

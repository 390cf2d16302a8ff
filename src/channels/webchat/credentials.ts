import { randomBytes } from 'node:crypto'
import { z } from 'zod'

const origin = z
  .string()
  .trim()
  .transform((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : null
    if (url !== null && /^https?:$/.test(url.protocol) && text.replace(/\/$/, '').toLowerCase() === url.origin) return url.origin
    context.addIssue({ code: 'custom', message: 'must be an origin such as https://www.example.com, without a path' })
    return z.NEVER
  })

/**
 * `identitySecret`: the key with which the organization's own server vouches for a visitor; made up where none is given, and then nobody can.
 * `allowedOrigins`: the pages that may open the chat; empty: all.
 */
export const WebchatCredentials = z.object({
  identitySecret: z
    .string()
    .min(32, 'must have at least 32 characters')
    .max(256, 'must have at most 256 characters')
    .default(() => randomBytes(32).toString('hex')),
  allowedOrigins: z.array(origin).max(100, 'must have at most 100 origins').default([]),
})
export type WebchatCredentials = z.output<typeof WebchatCredentials>

import { createPublicKey, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { normalizeEmail } from './address.ts'

const publicKey = z
  .string()
  .trim()
  .refine((key) => {
    try {
      return createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' }).asymmetricKeyType === 'ec'
    } catch {
      return false
    }
  }, 'must be a verification key of SendGrid: an elliptic-curve public key in base64')

/**
 * `webhookPublicKey`: of the Event Webhook's signature verification. `parsePublicKey`: of the security policy of Inbound Parse. Where one of
 * them is absent, `inboundSecret` in the webhook's address has to prove that SendGrid is calling; made up where none is given.
 * `inboundAddress`: where answers are to go, if Inbound Parse does not receive the account's own address.
 */
export const SendgridCredentials = z.object({
  apiKey: z.string().regex(/^SG\.[\w.-]+$/, 'must be a SendGrid API key: it starts with SG.'),
  webhookPublicKey: publicKey.optional(),
  parsePublicKey: publicKey.optional(),
  inboundSecret: z
    .string()
    .min(16, 'must have at least 16 characters')
    .max(200, 'must have at most 200 characters')
    .default(() => randomBytes(24).toString('base64url')),
  inboundAddress: z
    .string()
    .transform((address, context) => {
      const normalized = normalizeEmail(address)
      if (normalized !== null) return normalized
      context.addIssue({ code: 'custom', message: 'must be an e-mail address' })
      return z.NEVER
    })
    .optional(),
  unsubscribeGroupId: z.int('must be the number of an unsubscribe group').positive('must be the number of an unsubscribe group').optional(),
})
export type SendgridCredentials = z.output<typeof SendgridCredentials>

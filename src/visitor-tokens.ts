import { decodeProtectedHeader } from 'jose'
import { z } from 'zod'
import type { Deps } from './deps.ts'
import { signingKey, signToken, verifiedClaims } from './signed-tokens.ts'

/** Someone who writes in a web chat: nobody on the staff, and of one chat (channel account) only. */
export type Visitor = {
  /** A UUID. */
  id: string
  organizationId: string
  channelAccountId: string
  /** The organization's own id of the visitor, which its server has vouched for; null: anonymous. */
  externalId: string | null
  /** What the visitor says of itself, unproven. */
  name: string | null
  email: string | null
  expiresAt: Date
}

const KIND = { purpose: 'parley webchat visitors', audience: 'webchat', typ: 'parley-visitor+jwt' }
const LIFETIME_MS = 30 * 86_400_000

const Claims = z.object({
  sub: z.uuid(),
  org: z.uuid(),
  acc: z.uuid(),
  ext: z.string().nullable(),
  name: z.string().nullable(),
  email: z.string().nullable(),
  exp: z.number(),
})

/** A JWT (HS256) that says who the visitor is, valid for 30 days. */
export async function signVisitorToken(
  { config, clock }: Pick<Deps, 'config' | 'clock'>,
  visitor: Omit<Visitor, 'expiresAt'>,
): Promise<{ token: string; visitor: Visitor }> {
  const { id, organizationId, channelAccountId, externalId, name, email } = visitor
  const expiresAt = new Date(Math.floor((clock().getTime() + LIFETIME_MS) / 1000) * 1000)
  const claims = { org: organizationId, acc: channelAccountId, ext: externalId, name, email }
  const token = await signToken(KIND, signingKey(KIND, config), { subject: id, expiresAt, claims })
  return { token, visitor: { ...visitor, expiresAt } }
}

/** Whether the token says of itself that it is a visitor's; nothing is checked. */
export function looksLikeVisitorToken(token: string): boolean {
  try {
    return decodeProtectedHeader(token).typ === KIND.typ
  } catch {
    return false
  }
}

/** null: not a visitor's token, changed, or expired. */
export async function verifyVisitorToken(deps: Pick<Deps, 'config' | 'clock'>, token: string): Promise<Visitor | null> {
  const claims = await verifiedClaims(KIND, deps, token)
  if (claims === null) return null
  const { sub, org, acc, ext, name, email, exp } = Claims.parse(claims)
  return { id: sub, organizationId: org, channelAccountId: acc, externalId: ext, name, email, expiresAt: new Date(exp * 1000) }
}

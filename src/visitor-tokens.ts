import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import type { Config } from './config.ts'
import type { Deps } from './deps.ts'

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

const TYPE = 'parley-visitor+jwt'
const AUDIENCE = 'webchat'
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
  const [key] = tokenKeys(config)
  if (key === undefined) throw new Error('ENCRYPTION_KEY holds no key')
  const { id, organizationId, channelAccountId, externalId, name, email } = visitor
  const expiresAt = new Date(Math.floor((clock().getTime() + LIFETIME_MS) / 1000) * 1000)
  const token = await new SignJWT({ org: organizationId, acc: channelAccountId, ext: externalId, name, email })
    .setProtectedHeader({ alg: 'HS256', typ: TYPE })
    .setAudience(AUDIENCE)
    .setSubject(id)
    .setExpirationTime(expiresAt)
    .sign(key)
  return { token, visitor: { ...visitor, expiresAt } }
}

/** Whether the token says of itself that it is a visitor's; nothing is checked. */
export function looksLikeVisitorToken(token: string): boolean {
  try {
    return decodeProtectedHeader(token).typ === TYPE
  } catch {
    return false
  }
}

/** null: not a visitor's token, changed, or expired. */
export async function verifyVisitorToken({ config, clock }: Pick<Deps, 'config' | 'clock'>, token: string): Promise<Visitor | null> {
  for (const key of tokenKeys(config)) {
    try {
      const options = { algorithms: ['HS256'], typ: TYPE, audience: AUDIENCE, currentDate: clock() }
      const { sub, org, acc, ext, name, email, exp } = Claims.parse((await jwtVerify(token, key, options)).payload)
      return { id: sub, organizationId: org, channelAccountId: acc, externalId: ext, name, email, expiresAt: new Date(exp * 1000) }
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error
    }
  }
  return null
}

const derived = new WeakMap<Buffer, KeyObject>()

/** One key for each ENCRYPTION_KEY, so that tokens of before a rotation stay valid; no other kind of token is signed with it. */
function tokenKeys({ ENCRYPTION_KEY }: Pick<Config, 'ENCRYPTION_KEY'>): KeyObject[] {
  return ENCRYPTION_KEY.map((key) => {
    const known = derived.get(key) ?? createSecretKey(Buffer.from(hkdfSync('sha256', key, '', 'parley webchat visitors', 32)))
    derived.set(key, known)
    return known
  })
}

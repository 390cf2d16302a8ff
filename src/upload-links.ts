import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { errors, jwtVerify, SignJWT } from 'jose'
import type { Config } from './config.ts'
import type { Deps } from './deps.ts'

const AUDIENCE = 'upload'
const VALID_MS = 15 * 60_000

export type UploadLink = { path: string; expiresAt: Date }

/** The path `/uploads/<id>?token=…` to which `size` bytes may be PUT, once and for 15 minutes, by whoever has it. */
export async function signUploadLink(
  { config, clock }: Pick<Deps, 'config' | 'clock'>,
  upload: { attachmentId: string; organizationId: string; size: number },
): Promise<UploadLink> {
  const [key] = linkKeys(config)
  if (key === undefined) throw new Error('ENCRYPTION_KEY holds no key')
  const expiresAt = new Date(Math.floor((clock().getTime() + VALID_MS) / 1000) * 1000)
  const token = await new SignJWT({ org: upload.organizationId, size: upload.size })
    .setProtectedHeader({ alg: 'HS256' })
    .setAudience(AUDIENCE)
    .setSubject(upload.attachmentId)
    .setExpirationTime(expiresAt)
    .sign(key)
  return { path: `/uploads/${upload.attachmentId}?token=${token}`, expiresAt }
}

/** What the token allows; null where it is wrong, expired or another upload's. */
export async function verifyUploadLink(
  { config, clock }: Pick<Deps, 'config' | 'clock'>,
  attachmentId: string,
  token: string,
): Promise<{ organizationId: string; size: number } | null> {
  for (const key of linkKeys(config)) {
    try {
      const options = { algorithms: ['HS256'], audience: AUDIENCE, subject: attachmentId, currentDate: clock() }
      const { org, size } = (await jwtVerify<{ org: unknown; size: unknown }>(token, key, options)).payload
      return typeof org === 'string' && typeof size === 'number' ? { organizationId: org, size } : null
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error
    }
  }
  return null
}

const derived = new WeakMap<Buffer, KeyObject>()

/** One key for each ENCRYPTION_KEY, so that links of before a rotation stay valid; no other kind of token is signed with it. */
function linkKeys({ ENCRYPTION_KEY }: Pick<Config, 'ENCRYPTION_KEY'>): KeyObject[] {
  return ENCRYPTION_KEY.map((key) => {
    const known = derived.get(key) ?? createSecretKey(Buffer.from(hkdfSync('sha256', key, '', 'parley upload links', 32)))
    derived.set(key, known)
    return known
  })
}

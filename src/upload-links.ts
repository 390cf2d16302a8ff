import type { Deps } from './deps.ts'
import { signingKey, signToken, verifiedClaims } from './signed-tokens.ts'

const KIND = { purpose: 'parley upload links', audience: 'upload' }
const VALID_MS = 15 * 60_000

export type UploadLink = { path: string; expiresAt: Date }

/** The path `/uploads/<id>?token=…` to which `size` bytes may be PUT, once and for 15 minutes, by whoever has it. */
export async function signUploadLink(
  { config, clock }: Pick<Deps, 'config' | 'clock'>,
  { attachmentId, organizationId, size }: { attachmentId: string; organizationId: string; size: number },
): Promise<UploadLink> {
  const expiresAt = new Date(Math.floor((clock().getTime() + VALID_MS) / 1000) * 1000)
  const claims = { org: organizationId, size }
  const token = await signToken(KIND, signingKey(KIND, config), { subject: attachmentId, expiresAt, claims })
  return { path: `/uploads/${attachmentId}?token=${token}`, expiresAt }
}

/** What the token allows; null where it is wrong, expired or another upload's. */
export async function verifyUploadLink(
  deps: Pick<Deps, 'config' | 'clock'>,
  attachmentId: string,
  token: string,
): Promise<{ organizationId: string; size: number } | null> {
  const claims = await verifiedClaims(KIND, deps, token, attachmentId)
  return typeof claims?.org === 'string' && typeof claims.size === 'number' ? { organizationId: claims.org, size: claims.size } : null
}

import type { KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Config } from './config.ts'
import type { Deps } from './deps.ts'
import { signingKey, signToken, verifiedClaims } from './signed-tokens.ts'

const KIND = { purpose: 'parley attachment links', audience: 'attachment' }
const HOUR = 3_600_000
const LINKS_REMEMBERED = 10_000

// The same link is asked for with each page of a thread, and signing is most of its cost.
const madeLinks = new WeakMap<KeyObject, LRUCache<string, string>>()

/**
 * The path `/attachments/<id>?token=…` of an attachment, because `<img src>` cannot send headers. It is valid for one to two hours: the
 * expiry is a whole hour, so that the same link is given for an hour and browsers can cache what it shows.
 */
export async function signAttachmentLink(
  config: Pick<Config, 'ENCRYPTION_KEY'>,
  attachmentId: string,
  organizationId: string,
  clock: Deps['clock'],
): Promise<string> {
  const expiresAt = (Math.floor(clock().getTime() / HOUR) + 2) * HOUR
  const key = signingKey(KIND, config)
  const known = madeLinks.get(key) ?? new LRUCache<string, string>({ max: LINKS_REMEMBERED })
  madeLinks.set(key, known)
  const name = `${attachmentId} ${organizationId} ${expiresAt}`
  const link = known.get(name) ?? (await makeLink(key, attachmentId, organizationId, new Date(expiresAt)))
  known.set(name, link)
  return link
}

async function makeLink(key: KeyObject, attachmentId: string, organizationId: string, expiresAt: Date): Promise<string> {
  const token = await signToken(KIND, key, { subject: attachmentId, expiresAt, claims: { org: organizationId } })
  return `/attachments/${attachmentId}?token=${token}`
}

/** The organization whose attachment the token opens; null where the token is wrong, expired or another attachment's. */
export async function verifyAttachmentLink(
  config: Pick<Config, 'ENCRYPTION_KEY'>,
  attachmentId: string,
  token: string,
  clock: Deps['clock'],
): Promise<{ organizationId: string } | null> {
  const claims = await verifiedClaims(KIND, { config, clock }, token, attachmentId)
  return typeof claims?.org === 'string' ? { organizationId: claims.org } : null
}

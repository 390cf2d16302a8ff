import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { errors, jwtVerify, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Config } from './config.ts'
import type { Deps } from './deps.ts'

const AUDIENCE = 'attachment'
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
  const [key] = linkKeys(config)
  if (key === undefined) throw new Error('ENCRYPTION_KEY holds no key')
  const known = madeLinks.get(key) ?? new LRUCache<string, string>({ max: LINKS_REMEMBERED })
  madeLinks.set(key, known)
  const name = `${attachmentId} ${organizationId} ${expiresAt}`
  const link = known.get(name) ?? (await makeLink(key, attachmentId, organizationId, new Date(expiresAt)))
  known.set(name, link)
  return link
}

async function makeLink(key: KeyObject, attachmentId: string, organizationId: string, expiresAt: Date): Promise<string> {
  const token = await new SignJWT({ org: organizationId })
    .setProtectedHeader({ alg: 'HS256' })
    .setAudience(AUDIENCE)
    .setSubject(attachmentId)
    .setExpirationTime(expiresAt)
    .sign(key)
  return `/attachments/${attachmentId}?token=${token}`
}

/** The organization whose attachment the token opens; null where the token is wrong, expired or another attachment's. */
export async function verifyAttachmentLink(
  config: Pick<Config, 'ENCRYPTION_KEY'>,
  attachmentId: string,
  token: string,
  clock: Deps['clock'],
): Promise<{ organizationId: string } | null> {
  for (const key of linkKeys(config)) {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['HS256'],
        audience: AUDIENCE,
        subject: attachmentId,
        currentDate: clock(),
      })
      return typeof payload.org === 'string' ? { organizationId: payload.org } : null
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error
    }
  }
  return null
}

const derived = new WeakMap<Buffer, KeyObject>()

/** One key for each ENCRYPTION_KEY, so that links of before a rotation stay valid. Their own purpose: they decrypt nothing. */
function linkKeys({ ENCRYPTION_KEY }: Pick<Config, 'ENCRYPTION_KEY'>): KeyObject[] {
  return ENCRYPTION_KEY.map((key) => {
    const known = derived.get(key) ?? createSecretKey(Buffer.from(hkdfSync('sha256', key, '', 'parley attachment links', 32)))
    derived.set(key, known)
    return known
  })
}

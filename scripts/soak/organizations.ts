import type pg from 'pg'
import { v7 } from 'uuid'
import { signToken } from '../../src/auth/tokens.ts'
import { createSecrets } from '../../src/secrets.ts'
import type { Random } from './random.ts'

/** What everybody outside knows of an organization. `phoneNumberId`: of its WhatsApp number at Meta. */
export type Organization = { id: string; slug: string; number: string; phoneNumberId: string; token: string }

export const TWILIO = { accountSid: `AC${'5'.repeat(32)}`, authToken: 'soak-auth-token' }
const META_TOKEN = 'EAAsoak'

/** Of all the load: the first organization is a large one. */
const LARGE = 0.15

export const anyOrganization = (random: Random, organizations: readonly Organization[]): Organization =>
  random.chance(LARGE) ? (organizations[0] as Organization) : random.pick(organizations)

type Keys = { encryptionKey: string; jwtSecret: string }

/** Organizations with an SMS account at Twilio and a WhatsApp account at Meta each, that the providers have confirmed. */
export async function addOrganizations(pool: pg.Pool, count: number, { encryptionKey, jwtSecret }: Keys): Promise<Organization[]> {
  const secrets = createSecrets([Buffer.from(encryptionKey, 'base64')])
  const organizations: Organization[] = []
  for (let index = 1; index <= count; index++) {
    const id = v7()
    const slug = `soak-${index}`
    const number = `+1500555${String(index).padStart(4, '0')}`
    const phoneNumberId = String(1_000_000 + index)
    const businessAccountId = String(2_000_000 + index)
    await pool.query('INSERT INTO organization (id, slug, name) VALUES ($1, $2, $2)', [id, slug])
    const accounts = [
      { channel: 'SMS', provider: 'TWILIO', credentials: TWILIO, keys: [] },
      {
        channel: 'WHATSAPP',
        provider: 'META',
        credentials: { accessToken: META_TOKEN, phoneNumberId, businessAccountId },
        keys: [phoneNumberId, businessAccountId],
      },
    ]
    for (const { channel, provider, credentials, keys } of accounts) {
      const { ciphertext, keyId } = secrets.encrypt(JSON.stringify(credentials))
      await pool.query(
        `INSERT INTO channel_account (id, organization_id, channel, provider, name, address, routing_keys, status, credentials, credentials_key)
         VALUES ($1, $2, $3::text::"ChannelType", $4::text::"Provider", $3, $5, $6, 'ACTIVE', $7, $8)`,
        [v7(), id, channel, provider, number, keys, ciphertext, keyId],
      )
    }
    const token = await signToken({ secret: jwtSecret, organization: slug, role: 'AGENT', subject: 'agent', expiresIn: null })
    organizations.push({ id, slug, number, phoneNumberId, token })
  }
  return organizations
}

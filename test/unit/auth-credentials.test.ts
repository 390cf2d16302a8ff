import { createHash, randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { signAttachmentLink, verifyAttachmentLink } from '../../src/attachment-links.ts'
import { hasRole } from '../../src/auth/viewer.ts'
import { hashApiKey, isApiKey, newApiKey } from '../../src/domain/api-key-secret.ts'

const HOUR = 3_600_000
const at = (ms: number) => () => new Date(ms)
const tokenOf = (link: string) => new URL(link, 'http://localhost').searchParams.get('token') ?? ''

test('roles include the ones below them', () => {
  const granted = (['VIEWER', 'AGENT', 'ADMIN'] as const).map((role) =>
    (['VIEWER', 'AGENT', 'ADMIN'] as const).filter((asked) => hasRole({ role }, asked)),
  )
  expect(granted).toEqual([['VIEWER'], ['VIEWER', 'AGENT'], ['VIEWER', 'AGENT', 'ADMIN']])
})

describe('API keys', () => {
  test('are recognizable, random, and kept as a SHA-256 and a hint', () => {
    const first = newApiKey()
    const second = newApiKey()
    expect(first.key).toMatch(/^parley_[\w-]{43}$/)
    expect(isApiKey(first.key)).toBe(true)
    expect(first.key).not.toBe(second.key)
    expect(Buffer.from(first.hash).toString('hex')).toBe(createHash('sha256').update(first.key).digest('hex'))
    expect(first.hash).toEqual(hashApiKey(first.key))
    expect(first.key.endsWith(first.hint)).toBe(true)
    expect(first.hint).toHaveLength(4)
  })

  test.each(['parley_', 'parley_short', `parley_${'a'.repeat(44)}`, `parley_${'='.repeat(43)}`, `Parley_${'a'.repeat(43)}`])(
    '%s is not one',
    (text) => {
      expect(isApiKey(text)).toBe(false)
    },
  )
})

describe('attachment links', () => {
  const config = { ENCRYPTION_KEY: [randomBytes(32)] }
  const noon = Date.UTC(2026, 0, 1, 12)

  test('open the attachment of the organization they were made for', async () => {
    const link = await signAttachmentLink(config, 'a-1', 'o-1', at(noon))
    expect(link.startsWith('/attachments/a-1?token=')).toBe(true)
    expect(await verifyAttachmentLink(config, 'a-1', tokenOf(link), at(noon))).toEqual({ organizationId: 'o-1' })
    expect(await verifyAttachmentLink(config, 'a-2', tokenOf(link), at(noon))).toBeNull()
  })

  test('stay the same within an hour, so that browsers can cache', async () => {
    const links = await Promise.all([0, 1, HOUR - 1, HOUR].map((ms) => signAttachmentLink(config, 'a-1', 'o-1', at(noon + ms))))
    expect(links[1]).toBe(links[0])
    expect(links[2]).toBe(links[0])
    expect(links[3]).not.toBe(links[0])
  })

  test('are valid for at least one hour and at most two', async () => {
    const token = tokenOf(await signAttachmentLink(config, 'a-1', 'o-1', at(noon + HOUR - 1)))
    expect(await verifyAttachmentLink(config, 'a-1', token, at(noon + 2 * HOUR - 1000))).not.toBeNull()
    expect(await verifyAttachmentLink(config, 'a-1', token, at(noon + 2 * HOUR))).toBeNull()
  })

  test('survive a rotation of the key, not its removal', async () => {
    const token = tokenOf(await signAttachmentLink(config, 'a-1', 'o-1', at(noon)))
    const fresh = randomBytes(32)
    expect(await verifyAttachmentLink({ ENCRYPTION_KEY: [fresh, ...config.ENCRYPTION_KEY] }, 'a-1', token, at(noon))).not.toBeNull()
    expect(await verifyAttachmentLink({ ENCRYPTION_KEY: [fresh] }, 'a-1', token, at(noon))).toBeNull()
  })

  test.each(['', 'x', 'a.b.c', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhLTEifQ.'])('refuse %j', async (token) => {
    expect(await verifyAttachmentLink(config, 'a-1', token, at(noon))).toBeNull()
  })

  test('are not signed with the key that encrypts credentials', async () => {
    const forged = await new SignJWT({ org: 'o-1' })
      .setProtectedHeader({ alg: 'HS256' })
      .setAudience('attachment')
      .setSubject('a-1')
      .setExpirationTime(new Date(noon + HOUR))
      .sign(config.ENCRYPTION_KEY[0] as Buffer)
    expect(await verifyAttachmentLink(config, 'a-1', forged, at(noon))).toBeNull()
  })
})

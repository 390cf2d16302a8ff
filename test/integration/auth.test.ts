import { randomBytes } from 'node:crypto'
import pino from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Authenticator, createAuthenticator } from '../../src/auth/authenticate.ts'
import { UnauthenticatedError } from '../../src/auth/errors.ts'
import { signToken, type TokenContent } from '../../src/auth/tokens.ts'
import { loadConfig } from '../../src/config.ts'
import type { Role } from '../../src/db/generated/enums.ts'
import { newApiKey } from '../../src/domain/api-key-secret.ts'
import { newId } from '../../src/domain/ids.ts'
import { createMemoryBus } from '../../src/events/memory-bus.ts'
import { testDatabase } from '../support/database.ts'

const secret = randomBytes(32).toString('base64')
const config = loadConfig({ AUTH_JWT_SECRET: secret, ENCRYPTION_KEY: randomBytes(32).toString('base64') })
const demo = { id: newId(), slug: 'demo', name: 'Demo', timezone: 'Europe/Istanbul' }
const other = { id: newId(), slug: 'other', name: 'Other', timezone: 'UTC' }

let database: Awaited<ReturnType<typeof testDatabase>>
let auth: Authenticator

beforeAll(async () => {
  database = await testDatabase()
  await database.db.organization.createMany({ data: [demo, other] })
})
afterAll(() => database?.close())
beforeEach(async () => {
  auth = createAuthenticator({
    bus: createMemoryBus(),
    config,
    pool: database.pool,
    clock: () => new Date(),
    log: pino({ level: 'silent' }),
  })
  await database.db.member.deleteMany()
})

const bearer = async (content: Partial<TokenContent> = {}) =>
  `Bearer ${await signToken({ secret, organization: 'demo', role: 'AGENT', subject: 'ayse', expiresIn: '1h', ...content })}`

describe('without valid credentials', () => {
  test.each([null, undefined, '', '  '])('%j is no attempt at all', async (authorization) => {
    expect(await auth.authenticate(authorization)).toBeNull()
  })

  test.each(['Bearer', 'Bearer ', 'Basic YTpi', 'token', 'Bearer a b', 'Bearer\ta'])('%j is refused', async (authorization) => {
    await expect(auth.authenticate(authorization)).rejects.toThrow('The authorization must be "Bearer" and a token or an API key.')
  })

  test('an unknown organization is refused, and nobody is made', async () => {
    const refused = auth.authenticate(await bearer({ organization: 'nowhere' }))
    await expect(refused).rejects.toThrow("The token's `org` is not an organization of this server.")
    await expect(refused).rejects.toBeInstanceOf(UnauthenticatedError)
    expect(await database.db.member.count()).toBe(0)
  })

  test('an expired token is refused, and nobody is made', async () => {
    await expect(auth.authenticate(await bearer({ expiresIn: '-1s' }))).rejects.toThrow('The token has expired.')
    expect(await database.db.member.count()).toBe(0)
  })
})

describe('a member', () => {
  test('is made on first sight', async () => {
    const viewer = await auth.authenticate(await bearer({ name: 'Ayşe', email: 'ayse@demo.example' }))
    const [row] = await database.db.member.findMany()
    expect(row).toMatchObject({ organizationId: demo.id, subject: 'ayse', name: 'Ayşe', email: 'ayse@demo.example', role: 'AGENT' })
    expect(viewer).toEqual({
      organization: demo,
      role: 'AGENT',
      member: { id: row?.id, name: 'Ayşe', email: 'ayse@demo.example' },
      apiKeyId: null,
      expiresAt: expect.any(Date),
    })
    expect(viewer?.expiresAt?.getTime()).toBeGreaterThan(Date.now())
  })

  test('is one, whatever the case of the scheme and however many first requests come at once', async () => {
    const token = await bearer()
    const viewers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => auth.authenticate(index % 2 === 0 ? token : token.replace('Bearer', 'bearer'))),
    )
    expect(new Set(viewers.map((viewer) => viewer?.member?.id)).size).toBe(1)
    expect(await database.db.member.count()).toBe(1)
  })

  test('is somebody else in another organization', async () => {
    const [here, there] = [await auth.authenticate(await bearer()), await auth.authenticate(await bearer({ organization: 'other' }))]
    expect(here?.member?.id).not.toBe(there?.member?.id)
    expect(there?.organization).toEqual(other)
  })

  test('who is known costs one statement and no write, and nothing where the same token comes again', async () => {
    const first = await auth.authenticate(await bearer({ name: 'Ayşe' }))
    const token = await bearer({ name: 'Ayşe', expiresIn: '2h' })
    const version = () => database.pool.query('SELECT xmin::text FROM member')
    const before = (await version()).rows
    const statements = vi.spyOn(database.pool, 'query')
    const second = await auth.authenticate(token)
    expect(statements).toHaveBeenCalledTimes(1)
    expect(await auth.authenticate(token)).toEqual(second)
    expect(statements).toHaveBeenCalledTimes(1)
    statements.mockRestore()
    expect({ ...second, expiresAt: null }).toEqual({ ...first, expiresAt: null })
    expect((await version()).rows).toEqual(before)
  })

  test('follows what the token says; what it leaves out stays', async () => {
    const first = await auth.authenticate(await bearer({ name: 'Ayşe', email: 'ayse@demo.example' }))
    const second = await auth.authenticate(await bearer({ name: 'Ayşe Y.', role: 'ADMIN' }))
    expect(second).toMatchObject({ role: 'ADMIN', member: { id: first?.member?.id, name: 'Ayşe Y.', email: 'ayse@demo.example' } })
    expect(await database.db.member.findMany()).toEqual([
      expect.objectContaining({ role: 'ADMIN', name: 'Ayşe Y.', email: 'ayse@demo.example' }),
    ])
  })

  test.each(["'; DROP TABLE member; --", '𝕊𝕌𝔹', '\u202e\u200b', 'null', '0'])('may have the subject %j', async (subject) => {
    await auth.authenticate(await bearer({ subject, name: subject }))
    expect((await database.db.member.findMany()).map((row) => [row.subject, row.name])).toEqual([[subject, subject.trim()]])
  })

  test('whose token never expires has no expiry', async () => {
    expect((await auth.authenticate(await bearer({ expiresIn: null })))?.expiresAt).toBeNull()
  })
})

describe('an API key', () => {
  const store = async (role: Role, revokedAt: Date | null = null) => {
    const { key, hash, hint } = newApiKey()
    const row = await database.db.apiKey.create({
      data: { id: newId(), organizationId: demo.id, name: 'CRM', role, hint, hash, revokedAt },
    })
    return { key, id: row.id }
  }

  test('stands for its organization with its role, and for no member', async () => {
    const { key, id } = await store('ADMIN')
    expect(await auth.authenticate(`Bearer ${key}`)).toEqual({
      organization: demo,
      role: 'ADMIN',
      member: null,
      apiKeyId: id,
      expiresAt: null,
    })
    expect(await database.db.member.count()).toBe(0)
  })

  test('stops working at once when it is revoked', async () => {
    const { key, id } = await store('VIEWER')
    await auth.authenticate(`Bearer ${key}`)
    await database.db.apiKey.update({ where: { id }, data: { revokedAt: new Date() } })
    await expect(auth.authenticate(`Bearer ${key}`)).rejects.toThrow('The API key is unknown or revoked.')
  })

  test.each([newApiKey().key, 'parley_', 'parley_short'])('that was never made is refused: %s', async (key) => {
    const refused = auth.authenticate(`Bearer ${key}`)
    await expect(refused).rejects.toThrow('The API key is unknown or revoked.')
    await expect(refused).rejects.toBeInstanceOf(UnauthenticatedError)
  })
})

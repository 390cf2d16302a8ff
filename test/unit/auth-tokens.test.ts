import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import pino from 'pino'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { readClaims } from '../../src/auth/claims.ts'
import { AuthUnavailableError, UnauthenticatedError } from '../../src/auth/errors.ts'
import { signToken } from '../../src/auth/tokens.ts'
import { createVerifyToken } from '../../src/auth/verify-token.ts'
import { loadConfig } from '../../src/config.ts'

const secret = 'a secret of the tests, 32 characters or more'
const log = pino({ level: 'silent' })
const clock = () => new Date()
const settings = { ENCRYPTION_KEY: randomBytes(32).toString('base64'), PORT: '0' }
const bySecret = createVerifyToken({ config: loadConfig({ ...settings, AUTH_JWT_SECRET: secret }), clock, log })
const signed = (claims: JWTPayload, key = secret, alg = 'HS256') => new SignJWT(claims).setProtectedHeader({ alg }).sign(Buffer.from(key))
const seconds = () => Math.floor(Date.now() / 1000)

describe('a token signed with AUTH_JWT_SECRET', () => {
  test('says who is asking', async () => {
    const token = await signToken({
      secret,
      organization: 'demo',
      role: 'AGENT',
      subject: 'ayse',
      name: 'Ayşe',
      email: 'a@b.example',
      expiresIn: '12h',
    })
    const claims = readClaims(await bySecret(token))
    expect(claims).toMatchObject({ sub: 'ayse', org: 'demo', role: 'AGENT', name: 'Ayşe', email: 'a@b.example' })
    expect(claims.exp).toBeGreaterThan(seconds())
  })

  test('may have no expiry, no name and no e-mail', async () => {
    const token = await signToken({ secret, organization: 'demo', role: 'VIEWER', subject: 's', expiresIn: null })
    expect(readClaims(await bySecret(token))).toEqual({ sub: 's', org: 'demo', role: 'VIEWER', name: null, email: null })
  })

  test.each<[string, string, () => string | Promise<string>]>([
    ['expired', 'The token has expired.', () => signed({ exp: seconds() })],
    ['of the future', 'The token is not valid yet.', () => signed({ nbf: seconds() + 60 })],
    ['signed with another secret', "The token's signature is wrong.", () => signed({}, secret.toUpperCase())],
    ['without a signature', "The token's algorithm is not allowed.", () => new UnsecuredJWT({ sub: 's' }).encode()],
    ['of another algorithm', "The token's algorithm is not allowed.", () => signed({}, secret.repeat(2), 'HS512')],
    ['with an expiry that is no number', "The token's `exp` is not valid.", () => signed({ exp: 'soon' as unknown as number })],
    ['garbage', 'The token is not a valid JWT.', () => 'garbage'],
    ['garbage in three parts', 'The token is not a valid JWT.', () => 'a.b.c'],
  ])('is refused when %s', async (_, reason, make) => {
    const refused = bySecret(await make())
    await expect(refused).rejects.toThrow(reason)
    await expect(refused).rejects.toBeInstanceOf(UnauthenticatedError)
  })
})

describe('claims', () => {
  const right = { sub: 's', org: 'demo', role: 'ADMIN' }

  test.each([
    [{ ...right, sub: undefined }, '`sub` must be a text'],
    [{ ...right, sub: '' }, '`sub` must have 1 to 255 characters'],
    [{ ...right, sub: 'a\0b' }, '`sub` must have 1 to 255 characters'],
    [{ ...right, org: 7 }, '`org` must be a text'],
    [{ ...right, role: 'admin' }, '`role` must be ADMIN, AGENT or VIEWER'],
    [{ ...right, role: undefined }, '`role` must be ADMIN, AGENT or VIEWER'],
    [{ ...right, name: ['x'] }, '`name` must be a text'],
    [{ ...right, email: 'x'.repeat(321) }, '`email` must have at most 320 characters'],
  ])('%j is refused: %s', (claims, reason) => {
    expect(() => readClaims(claims)).toThrow(reason)
  })

  test('a name loses NUL; a blank one counts as none', () => {
    expect(readClaims({ ...right, name: 'A\0B', email: ' ' })).toMatchObject({ name: 'AB', email: null })
  })
})

describe('a token signed with a key of AUTH_JWKS_URL', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const newer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const servers: Server[] = []

  afterEach(() => {
    vi.useRealTimers()
    for (const server of servers.splice(0)) server.close()
  })

  const issuer = async (answer: () => { status?: number; body: string }) => {
    let fetches = 0
    const server = createServer((_, response) => {
      fetches += 1
      const { status = 200, body } = answer()
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(body)
    }).listen(0, '127.0.0.1')
    servers.push(server)
    await new Promise((resolve) => server.once('listening', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
    const verify = createVerifyToken({ config: loadConfig({ ...settings, AUTH_JWKS_URL: url }), clock, log })
    return { server, verify, fetches: () => fetches }
  }

  const keySet = async (...pairs: [kid: string, alg: string, pair: typeof rsa][]) =>
    JSON.stringify({
      keys: await Promise.all(pairs.map(async ([kid, alg, pair]) => ({ ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' }))),
    })

  const token = (alg: string, kid: string, pair: typeof rsa) =>
    new SignJWT({ sub: 's', org: 'demo', role: 'AGENT' }).setProtectedHeader({ alg, kid }).sign(pair.privateKey)

  test('is accepted by RS256 and ES256, with one fetch for many tokens', async () => {
    const body = await keySet(['r', 'RS256', rsa], ['e', 'ES256', ec])
    const { verify, fetches } = await issuer(() => ({ body }))
    expect(await verify(await token('RS256', 'r', rsa))).toMatchObject({ sub: 's' })
    expect(await verify(await token('ES256', 'e', ec))).toMatchObject({ sub: 's' })
    expect(fetches()).toBe(1)
  })

  test('is refused as HS256 made with the public key as the secret', async () => {
    const body = await keySet(['r', 'RS256', rsa])
    const { verify, fetches } = await issuer(() => ({ body }))
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const unsigned = `${encode({ alg: 'HS256', kid: 'r' })}.${encode({ sub: 's', org: 'demo', role: 'ADMIN' })}`
    const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' })
    const forged = `${unsigned}.${createHmac('sha256', pem).update(unsigned).digest('base64url')}`
    await expect(verify(forged)).rejects.toThrow("The token's algorithm is not allowed.")
    expect(fetches()).toBe(0)
  })

  test('is refused when another key signed it, or one that is not listed', async () => {
    const body = await keySet(['e', 'ES256', ec])
    const { verify } = await issuer(() => ({ body }))
    await expect(verify(await token('ES256', 'e', newer))).rejects.toThrow("The token's signature is wrong.")
    await expect(verify(await token('ES256', 'unknown', newer))).rejects.toBeInstanceOf(UnauthenticatedError)
  })

  test('is accepted after the issuer has changed its keys', async () => {
    let body = await keySet(['e', 'ES256', ec])
    const { verify } = await issuer(() => ({ body }))
    await verify(await token('ES256', 'e', ec))
    body = await keySet(['n', 'ES256', newer])
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 })
    expect(await verify(await token('ES256', 'n', newer))).toMatchObject({ sub: 's' })
    await expect(verify(await token('ES256', 'e', ec))).rejects.toBeInstanceOf(UnauthenticatedError)
  })

  test('cannot be judged while the issuer is away, and can again when it is back', async () => {
    const body = await keySet(['e', 'ES256', ec])
    let status = 503
    const { verify } = await issuer(() => ({ status, body }))
    await expect(verify(await token('ES256', 'e', ec))).rejects.toBeInstanceOf(AuthUnavailableError)
    status = 200
    expect(await verify(await token('ES256', 'e', ec))).toMatchObject({ sub: 's' })
  })

  test.each([['{"keys":7}'], ['not JSON'], ['{"keys":[{"kty":"EC","kid":"e","alg":"ES256","crv":"P-256","x":"!","y":"!"}]}']])(
    'cannot be judged by the key set %s',
    async (body) => {
      const { verify } = await issuer(() => ({ body }))
      await expect(verify(await token('ES256', 'e', ec))).rejects.toBeInstanceOf(AuthUnavailableError)
    },
  )

  test('cannot be judged when nothing listens at the address', async () => {
    const { verify, server } = await issuer(() => ({ body: '' }))
    await new Promise((resolve) => server.close(resolve))
    await expect(verify(await token('ES256', 'e', ec))).rejects.toBeInstanceOf(AuthUnavailableError)
  })
})

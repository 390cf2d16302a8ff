import { describe, expect, test } from 'vitest'
import { createWebchatChannels } from '../../src/channels/webchat/channels.ts'
import { networkOf } from '../../src/domain/webchat-limits.ts'
import { clientAddress } from '../../src/http/client-address.ts'

const [webchat] = createWebchatChannels()
if (webchat === undefined) throw new Error('there is no web chat')

test.each([
  ['wc_help', 'wc_help'],
  ['  Help-Desk ', 'help-desk'],
  ['01A1F5B6-7c1d-7000-8000-000000000000', '01a1f5b6-7c1d-7000-8000-000000000000'],
  ['x'.repeat(63), 'x'.repeat(63)],
  ['x'.repeat(64), null],
  ['ab', null],
  ['help-', null],
  ['+905551112233', null],
  ['1234567890123456', null],
  ['ada@example.com', null],
  ['US.1349', null],
  ['wc help', null],
  ['', null],
])('the address %j is stored as %j', (address, stored) => {
  expect(webchat.normalize(address)).toBe(stored)
})

describe('credentials', () => {
  test('a secret is made up where none is given, another one each time', () => {
    const [one, two] = [webchat.credentials.parse({}), webchat.credentials.parse({})]
    expect(one.identitySecret).toMatch(/^[0-9a-f]{64}$/)
    expect(two.identitySecret).not.toBe(one.identitySecret)
    expect(one.allowedOrigins).toEqual([])
  })
  test.each([
    ['https://www.Example.com/', 'https://www.example.com'],
    ['http://localhost:3000', 'http://localhost:3000'],
    ['https://example.com:443', null],
    ['https://example.com/path', null],
    ['https://user@example.com', null],
    ['example.com', null],
    ['ftp://example.com', null],
    ['*', null],
  ])('the origin %s is taken as %j', (given, taken) => {
    expect(webchat.credentials.safeParse({ allowedOrigins: [given] }).data?.allowedOrigins[0] ?? null).toBe(taken)
  })
  test('a secret that can be guessed is refused', () => {
    expect(webchat.credentials.safeParse({ identitySecret: 'short' }).success).toBe(false)
  })
})

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2::1', '2001:db8:1:2'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
  ['', ''],
])('%s is of the network %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})

test.each([
  [0, '203.0.113.9', '198.51.100.1'],
  [1, '203.0.113.9', '203.0.113.9'],
  [1, 'made up, 203.0.113.9', '203.0.113.9'],
  [2, 'made up, 203.0.113.9, 10.0.0.1', '203.0.113.9'],
  [2, '203.0.113.9', '198.51.100.1'],
  [1, '203.0.113.9:4711', '203.0.113.9'],
  [1, '[2001:db8::1]:4711', '2001:db8::1'],
  [1, '2001:db8::1', '2001:db8::1'],
  [1, undefined, '198.51.100.1'],
])('behind %i proxies, X-Forwarded-For %j means %s', (proxies, forwarded, address) => {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  const request = { headers, socket: { remoteAddress: '198.51.100.1' } } as Parameters<typeof clientAddress>[0]
  expect(clientAddress(request, proxies)).toBe(address)
})

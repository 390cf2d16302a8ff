import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AnyChannelAdapter, ChannelRegistry } from '../../src/channels/channel.ts'
import { createSandboxChannels } from '../../src/channels/sandbox/channels.ts'
import type { ChannelAccount } from '../../src/db/generated/client.ts'
import type { Deps } from '../../src/deps.ts'
import type { Actor } from '../../src/domain/actor.ts'
import {
  checkChannelAccount,
  connectChannelAccount,
  disconnectChannelAccount,
  type Health,
  updateChannelAccount,
} from '../../src/domain/channel-accounts.ts'
import { createOrganization } from '../../src/domain/create-organization.ts'
import { startTestApp, type TestApp } from '../support/app.ts'

/** The sandbox's WhatsApp on a wire that has one address for all organizations. `authToken` stands for "number id, business account id". */
function onSharedWire(): AnyChannelAdapter {
  const [, sandbox] = createSandboxChannels()
  if (sandbox?.wire?.reach !== 'organization') throw new Error('the sandbox has changed')
  const { path, inboundSegment, parse, acknowledgement } = sandbox.wire
  return {
    ...sandbox,
    provider: 'META',
    routingKeys: ({ authToken }) => authToken.split(','),
    check: async (_account, { authToken }) => [{ name: 'credentials', ok: !authToken.endsWith('refused'), required: true, message: null }],
    wire: { path, inboundSegment, parse, acknowledgement, reach: 'app', verify: () => false, handshake: () => null, verifyToken: null },
  }
}

let app: TestApp
let deps: Deps
let [one, other]: [Actor, Actor] = [
  { organizationId: '', memberId: null },
  { organizationId: '', memberId: null },
]
let made = 0

beforeAll(async () => {
  app = await startTestApp({ WORKER: 'off' })
  const adapter = onSharedWire()
  const channels: ChannelRegistry = { all: [adapter], find: () => adapter, get: () => adapter, speaking: () => [adapter] }
  deps = { ...app.deps, channels }
})
afterAll(() => app?.close())
beforeEach(async () => {
  const organizations = await Promise.all(['one', 'other'].map((name) => createOrganization(app.deps, { slug: `${name}-${++made}`, name })))
  ;[one, other] = organizations.map(({ id }): Actor => ({ organizationId: id, memberId: null })) as [Actor, Actor]
})

const keys = () => [`number-${++made}`, `business-${made}`]
const connect = (actor: Actor, address: string, routing: string[]): Promise<ChannelAccount> =>
  connectChannelAccount(deps, actor, {
    channel: 'WHATSAPP',
    name: 'Our line',
    address,
    credentials: { meta: { authToken: routing.join(',') } },
  })
const failing = (account: ChannelAccount) => (account.health as Health).checks.filter(({ ok }) => !ok)
const phone = () => `+1415555${String(8000 + made)}`

describe('where one webhook address serves all organizations', () => {
  test('a number is active in one of them only, until it is disconnected there', async () => {
    const [routing, address] = [keys(), phone()]
    const first = await connect(one, address, routing)
    expect(first.status).toBe('ACTIVE')
    const second = await connect(other, address, routing)
    expect(second.status).toBe('PENDING')
    expect(failing(second)).toEqual([
      { name: 'exclusive', ok: false, required: true, message: expect.stringContaining('active in another organization on this server') },
    ])
    expect(JSON.stringify(second.health)).not.toContain('Our line')
    expect((await checkChannelAccount(deps, other, second.id)).status).toBe('PENDING')
    expect((await checkChannelAccount(deps, one, first.id)).status).toBe('ACTIVE')
    await disconnectChannelAccount(deps, one, first.id)
    expect((await checkChannelAccount(deps, other, second.id)).status).toBe('ACTIVE')
    expect((await connect(one, address, routing)).status).toBe('PENDING')
  })

  test('the id that webhooks name counts, however the number is spelled, also within one organization', async () => {
    const routing = keys()
    await connect(one, phone(), routing)
    made++
    expect((await connect(other, phone(), [routing[0] ?? '', 'another business'])).status).toBe('PENDING')
    made++
    const twice = await connect(one, phone(), routing)
    expect(failing(twice)).toMatchObject([{ message: expect.stringContaining('active already as “Our line”') }])
  })

  test('who cannot prove that a number is theirs does not learn whether another organization has it', async () => {
    const [[number = ''], address] = [keys(), phone()]
    expect((await connect(one, address, [number])).status).toBe('ACTIVE')
    const stranger = await connect(other, address, [number, 'refused'])
    expect(stranger.status).toBe('PENDING')
    expect(failing(stranger)).toEqual([{ name: 'credentials', ok: false, required: true, message: null }])
    expect(failing(await checkChannelAccount(deps, other, stranger.id))).toHaveLength(1)
  })

  test('numbers of one business account do not stand in each other’s way', async () => {
    const [number, business] = keys()
    expect((await connect(one, phone(), [number ?? '', business ?? ''])).status).toBe('ACTIVE')
    made++
    expect((await connect(other, phone(), [`number-${++made}`, business ?? ''])).status).toBe('ACTIVE')
  })

  test('new credentials for another’s number are pending', async () => {
    const [taken, own] = [keys(), keys()]
    await connect(one, phone(), taken)
    made++
    const account = await connect(other, phone(), own)
    expect(account.status).toBe('ACTIVE')
    const update = (routing: string[]) =>
      updateChannelAccount(deps, other, { channelAccountId: account.id, credentials: { meta: { authToken: routing.join(',') } } })
    expect((await update(taken)).status).toBe('PENDING')
    expect((await update(own)).status).toBe('ACTIVE')
  })

  test('of simultaneous calls, one wins', async () => {
    for (let round = 0; round < 5; round++) {
      const [routing, address] = [keys(), phone()]
      const accounts = await Promise.all([connect(one, address, routing), connect(other, address, routing)])
      expect(accounts.map(({ status }) => status).sort()).toEqual(['ACTIVE', 'PENDING'])
    }
  })
})

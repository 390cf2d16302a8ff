import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { ChannelAccount } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import type { Visitor } from '../visitor-tokens.ts'
import { credentialsOf } from './channel-credentials.ts'
import { ChannelNotConnectedError, NotFoundError, ValidationError } from './errors.ts'

const Settings = z.object({ identitySecret: z.string(), allowedOrigins: z.array(z.string()) })

export type Chat = { account: ChannelAccount; settings: z.output<typeof Settings> }

/** The chat that pages open by its key. Throws NotFoundError, ChannelNotConnectedError. */
export async function findChat(deps: Pick<Deps, 'db' | 'channels' | 'secrets'>, organization: string, key: string): Promise<Chat> {
  const adapter = deps.channels.get('PARLEY', 'WEBCHAT')
  const address = adapter.normalize(key)
  const owner = await deps.db.organization.findUnique({ where: { slug: organization }, select: { id: true } })
  const account =
    owner === null || address === null
      ? null
      : await deps.db.channelAccount.findUnique({
          where: { organizationId_channel_address: { organizationId: owner.id, channel: 'WEBCHAT', address } },
        })
  if (account === null) throw new NotFoundError('web chat', ['input', 'account'])
  if (account.status !== 'ACTIVE') throw closed()
  return { account, settings: Settings.parse(credentialsOf(deps, adapter, account)) }
}

/** The visitor's own chat, as long as it is open. Throws ChannelNotConnectedError. */
export async function openChat(deps: Pick<Deps, 'db'>, visitor: Visitor): Promise<ChannelAccount> {
  const { channelAccountId: id, organizationId } = visitor
  const account = await deps.db.channelAccount.findFirst({ where: { id, organizationId, status: 'ACTIVE' } })
  if (account === null) throw closed()
  return account
}

const closed = () => new ChannelNotConnectedError('This chat is not open at the moment.', ['input'])

/** Browsers say truthfully which page asks; what is no browser says nothing. Throws ValidationError. */
export function checkOrigin({ settings }: Chat, origin: string | null): void {
  const { allowedOrigins } = settings
  if (origin === null || allowedOrigins.length === 0 || allowedOrigins.includes(origin)) return
  throw new ValidationError(`Pages of ${origin} may not open this chat.`, ['input', 'account'])
}

/** Whether the organization's server has vouched for the id: HMAC-SHA256 of it with the chat's identity secret, in hexadecimal. */
export function vouchedFor({ settings }: Chat, externalId: string, hmac: string): boolean {
  const expected = createHmac('sha256', settings.identitySecret).update(externalId, 'utf8').digest()
  const given = /^[0-9a-f]{64}$/i.test(hmac) ? Buffer.from(hmac, 'hex') : Buffer.alloc(expected.length)
  return timingSafeEqual(expected, given)
}

import { v5 as uuidOf } from 'uuid'
import type { Deps } from '../deps.ts'
import { signVisitorToken, type Visitor, verifyVisitorToken } from '../visitor-tokens.ts'
import { ValidationError } from './errors.ts'
import { newId } from './ids.ts'
import { cleanText, optionalText } from './text.ts'
import { type Chat, checkOrigin, findChat, vouchedFor } from './webchat-account.ts'
import { limitAccount, limitStarts } from './webchat-limits.ts'
import { linkVisitor } from './webchat-link.ts'

export type StartWebchatInput = {
  /** The slug. */
  organization: string
  account: string
  visitorToken?: string | null
  identity?: { externalId: string; hmac: string } | null
  name?: string | null
  email?: string | null
}

export type StartedWebchat = { token: string; visitor: Visitor }

/**
 * Makes somebody a visitor of a chat, or renews a visitor's token. Nothing is stored before the first message.
 *
 * Whoever is vouched for becomes another visitor, the same one on each device: a token of before, which somebody else may have seen or
 * planted, opens nothing of what is said from now on.
 *
 * Throws RateLimitedError, NotFoundError, ChannelNotConnectedError, ValidationError.
 */
export async function startWebchat(
  deps: Pick<Deps, 'db' | 'bus' | 'channels' | 'secrets' | 'limits' | 'config' | 'clock'>,
  client: { address: string; origin: string | null },
  input: StartWebchatInput,
): Promise<StartedWebchat> {
  await limitStarts(deps, client.address)
  const chat = await findChat(deps, input.organization, input.account)
  await limitAccount(deps, chat.account.id)
  checkOrigin(chat, client.origin)
  const former = await formerVisitor(deps, chat, input.visitorToken)
  const externalId = provenId(chat, input.identity)
  const { organizationId, id: channelAccountId } = chat.account
  const same = externalId === null || former?.externalId === externalId
  if (!same && former?.externalId === null) await linkVisitor(deps, chat.account, former.id, externalId)
  return signVisitorToken(deps, {
    id: externalId === null ? (former?.id ?? newId()) : uuidOf(externalId, channelAccountId),
    organizationId,
    channelAccountId,
    externalId: externalId ?? former?.externalId ?? null,
    name: optionalText(input.name, ['input', 'name'], 200) ?? (same ? (former?.name ?? null) : null),
    email: optionalText(input.email, ['input', 'email'], 320) ?? (same ? (former?.email ?? null) : null),
  })
}

async function formerVisitor(
  deps: Pick<Deps, 'config' | 'clock'>,
  { account }: Chat,
  token: string | null | undefined,
): Promise<Visitor | null> {
  if (token === null || token === undefined) return null
  const visitor = await verifyVisitorToken(deps, token)
  if (visitor !== null && visitor.channelAccountId === account.id && visitor.organizationId === account.organizationId) return visitor
  throw new ValidationError('The token has expired or is not one of this chat: start without it.', ['input', 'visitorToken'])
}

function provenId(chat: Chat, identity: StartWebchatInput['identity']): string | null {
  if (identity === null || identity === undefined) return null
  const { externalId, hmac } = identity
  const path = ['input', 'identity']
  if (externalId === '' || externalId.length > 255 || cleanText(externalId).trim() !== externalId)
    throw new ValidationError('externalId must have 1 to 255 characters, without white space around them.', [...path, 'externalId'])
  if (vouchedFor(chat, externalId, hmac)) return externalId
  throw new ValidationError("hmac is not the HMAC-SHA256 of externalId with this chat's identity secret.", [...path, 'hmac'])
}

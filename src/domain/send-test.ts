import type { Communication } from '../db/generated/client.ts'
import type { AutomationKind, ChannelType } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import type { Actor } from './actor.ts'
import { composeAutomation, fillAutomation } from './compose-automation.ts'
import { UserError, ValidationError } from './errors.ts'
import { checkedLanguage } from './languages.ts'
import { readSettings } from './notification-settings.ts'
import { sampleOccasion } from './preview-automation.ts'
import { sendComposed } from './send-message.ts'

export type SendTestInput = {
  kind: AutomationKind
  channel: ChannelType
  language?: string | null
  /** Absent: the member's own e-mail address. */
  to?: string | null
  idempotencyKey?: string | null
}

/** What a customer would get, with sample values, to oneself: by the channel's own rules. Throws UserErrors as sendMessage does. */
export async function sendTest(deps: Deps, actor: Actor, input: SendTestInput): Promise<Communication> {
  const { organizationId } = actor
  const { kind, channel, idempotencyKey } = input
  const settings = await readSettings(deps.db, organizationId)
  const language = checkedLanguage(input.language ?? settings.language, ['input', 'language'])
  const to = { address: input.to ?? (await ownAddress(deps, actor, channel)) }
  const occasion = sampleOccasion(kind, settings, language, deps.clock())
  const filled = await fillAutomation(deps.db, occasion, channel, language)
  const request = { to, channel, idempotencyKey: idempotencyKey ?? null, test: { kind, language } }
  const way = { to, channel, channelAccountId: filled.template?.channelAccountId ?? null }
  try {
    return await sendComposed(
      deps,
      actor,
      request,
      async (_tx, _customerId, recipient) => composeAutomation(occasion, filled, recipient),
      way,
    )
  } catch (error) {
    throw error instanceof UserError ? Object.assign(error, { path: pathHere(error.path) }) : error
  }
}

/** The errors name the inputs of sendMessage; here the channel is the one whose rules, text and template refuse. */
const pathHere = ([, field = '']: string[]): string[] => ['input', ['to', 'idempotencyKey'].includes(field) ? field : 'channel']

async function ownAddress(deps: Pick<Deps, 'db'>, { memberId }: Actor, channel: ChannelType): Promise<string> {
  const member = memberId === null ? null : await deps.db.member.findUnique({ where: { id: memberId } })
  if (channel === 'EMAIL' && typeof member?.email === 'string') return member.email
  throw new ValidationError(`Say where to, as ${channel} spells an address: only your e-mail address can be known.`, ['input', 'to'])
}

import { globalId } from '../schema/global-id.ts'
import type { TwilioChannel } from '../src/channels/twilio/address.ts'
import { twilioWire } from '../src/channels/twilio/wire.ts'
import { type Config, loadConfig } from '../src/config.ts'
import type { Database } from '../src/db/client.ts'
import { CommandError, organizationBySlug, say, withDatabase } from './command.ts'
import { bare, type Line, newSid, openLine, postWebhook, requireServer, spelled } from './twilio-webhook.ts'

/** `from`: the customer; `to`: our number, by default the first one; `organization`: its slug; `sid`: Twilio's id, by default a new one. */
type Message = {
  from: string
  to?: string
  organization: string
  body: string
  name?: string
  media?: string[]
  sid?: string
  count?: number
}

/** A customer writes to us, `count` times. */
export async function receive(channel: TwilioChannel, message: Message): Promise<void> {
  const { count = 1, media = [] } = message
  const config = await requireServer(loadConfig())
  await withDatabase(config, async ({ db }) => {
    const line = await lineTo(db, config, channel, message)
    const one = async () => {
      const sid = message.sid ?? newSid(media.length > 0 ? 'MM' : 'SM')
      const where = { channelAccountId_externalMessageId: { channelAccountId: line.account.id, externalMessageId: sid } }
      const before = await db.communication.findUnique({ where })
      await postWebhook(config, line, twilioWire.inboundSegment(channel), inboundParameters(line, sid, message))
      return { sid, repeated: before !== null, stored: before ?? (await db.communication.findUnique({ where })) }
    }
    if (count > 1) {
      for (let left = count; left > 0; left -= 10) await Promise.all(Array.from({ length: Math.min(left, 10) }, one))
      say(`200 OK: ${count} messages from ${message.from} to ${line.account.address}`)
    } else {
      const { sid, repeated, stored } = await one()
      say(`200 OK: ${message.from} to ${line.account.address}, ${sid}${repeated ? ', which was received before: nothing has changed' : ''}`)
      if (stored !== null) say(`communication ${globalId('Communication', stored.id)}`)
    }
    say(`Look: ${config.PUBLIC_URL}/graphql, InboxEvents in the tab CommunicationReceived, or Inbox in the tab Viewer`)
  })
}

/** The account that `to` names, or the first one of the channel. Throws CommandError. */
export async function lineTo(
  db: Database['db'],
  config: Config,
  channel: TwilioChannel,
  message: Pick<Message, 'to' | 'organization'>,
): Promise<Line> {
  const organization = await organizationBySlug({ db }, message.organization)
  const where = {
    organizationId: organization.id,
    channel,
    status: 'ACTIVE' as const,
    provider: { in: ['TWILIO' as const, 'SANDBOX' as const] },
  }
  const accounts = await db.channelAccount.findMany({ where, orderBy: { id: 'asc' } })
  const to = message.to === undefined ? undefined : bare(message.to)
  const account = to === undefined ? accounts[0] : accounts.find(({ address }) => address === to)
  if (account !== undefined) return openLine(config, account, organization.slug)
  const others = accounts.map(({ address }) => address).join(', ') || 'none'
  throw new CommandError(
    `"${organization.slug}" has no active ${channel} account${to === undefined ? '' : ` ${to}`} at Twilio or in the sandbox; active: ${others}`,
  )
}

/** Source: https://www.twilio.com/docs/messaging/guides/webhook-request */
function inboundParameters(line: Line, sid: string, { from, body, name, media = [] }: Message): Record<string, string> {
  const number = /^\+(\d+)$/.exec(bare(from))?.[1]
  const types = media.map((url) => /^data:([^;,]+)/i.exec(url)?.[1])
  return {
    MessageSid: sid,
    SmsMessageSid: sid,
    SmsSid: sid,
    SmsStatus: 'received',
    From: spelled(line, from),
    To: spelled(line, line.account.address),
    Body: body,
    NumSegments: '1',
    NumMedia: String(media.length),
    ...(line.account.channel !== 'WHATSAPP' || number === undefined ? {} : { WaId: number }),
    ...(name === undefined ? {} : { ProfileName: name }),
    ...Object.fromEntries(media.map((url, index) => [`MediaUrl${index}`, url])),
    ...Object.fromEntries(types.flatMap((type, index) => (type === undefined ? [] : [[`MediaContentType${index}`, type]]))),
  }
}

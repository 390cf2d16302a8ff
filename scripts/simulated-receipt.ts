import { localId, UUID } from '../schema/global-id.ts'
import { loadConfig } from '../src/config.ts'
import { CommandError, say, withDatabase } from './command.ts'
import { newSid, openLine, postWebhook, requireServer, spelled } from './twilio-webhook.ts'

/** Twilio reports how far a message of ours has come. `given`: an id of the graph, or the row's. */
export async function report(given: string, status: string, errorCode: string | undefined): Promise<void> {
  const id = localId('Communication', given) ?? (UUID.test(given) ? given.toLowerCase() : null)
  if (id === null) throw new CommandError(`--communication: "${given}" is not the id of a communication`)
  const config = await requireServer(loadConfig())
  await withDatabase(config, async ({ db }) => {
    const communication = await db.communication.findUnique({ where: { id } })
    if (communication === null) throw new CommandError('--communication: there is none of this id')
    const { channelAccountId, organizationId, address } = communication
    if (communication.direction !== 'OUTBOUND' || channelAccountId === null || address === null) {
      throw new CommandError('--communication: only messages that we sent have a delivery status')
    }
    const account = await db.channelAccount.findUniqueOrThrow({ where: { id: channelAccountId } })
    const { slug } = await db.organization.findUniqueOrThrow({ where: { id: organizationId } })
    const line = openLine(config, account, slug)
    const sid = communication.externalMessageId ?? newSid('SM')
    const parameters = {
      MessageSid: sid,
      SmsSid: sid,
      MessageStatus: status,
      SmsStatus: status,
      From: spelled(line, account.address),
      To: spelled(line, address),
      ...(errorCode === undefined ? {} : { ErrorCode: errorCode }),
    }
    await postWebhook(config, line, 'status', parameters, `?communicationId=${id}`)
    const { deliveryStatus } = await db.communication.findUniqueOrThrow({ where: { id } })
    const before = communication.deliveryStatus
    say(`200 OK: ${before === deliveryStatus ? `the message stays ${before}` : `${before} → ${deliveryStatus}`}`)
  })
}

import { globalId } from '../schema/global-id.ts'
import { loadConfig } from '../src/config.ts'
import { CommandError, say, withDatabase } from './command.ts'
import { lineTo } from './simulated-message.ts'
import { newSid, postWebhook, requireServer } from './twilio-webhook.ts'

/** The states of a call that has ended, in Twilio's words. */
const STATUSES = ['completed', 'no-answer', 'busy', 'failed', 'canceled']

type Call = { from: string; to?: string; organization: string; sid?: string; status: string; seconds: number }

/** A customer has called us, and the call is over. */
export async function call({ status, seconds, sid, ...line }: Call): Promise<void> {
  if (!STATUSES.includes(status)) throw new CommandError(`--status must be ${STATUSES.join(', ')}, not "${status}"`)
  const config = await requireServer(loadConfig())
  await withDatabase(config, async ({ db }) => {
    const { account, ...rest } = await lineTo(db, config, 'SMS', line)
    const CallSid = sid ?? newSid('CA')
    await postWebhook(config, { account, ...rest }, 'voice', {
      CallSid,
      Direction: 'inbound',
      From: line.from,
      To: account.address,
      CallStatus: status,
      CallDuration: status === 'completed' ? String(seconds) : '0',
      Timestamp: new Date().toUTCString(),
    })
    const key = { channelAccountId: account.id, externalMessageId: CallSid }
    const stored = await db.communication.findUnique({ where: { channelAccountId_externalMessageId: key } })
    say(`200 OK: ${line.from} called ${account.address}: ${status}, ${CallSid}`)
    if (stored !== null) say(`communication ${globalId('Communication', stored.id)}`)
  })
}

import type { Outgoing, SendResult } from '../channel.ts'
import { Rejected, Unavailable, Uncertain } from '../failures.ts'
import type { TwilioCredentials } from './credentials.ts'
import { type TwilioApi, twilioClient } from './http.ts'

/** `inScheme` spells the addresses as Twilio wants them on this channel, e.g. `whatsapp:+15005550006`. */
export async function sendByTwilio(
  api: TwilioApi,
  message: Outgoing,
  credentials: TwilioCredentials,
  inScheme: { to: (address: string) => string; from: (address: string) => string },
): Promise<SendResult> {
  const { messagingServiceSid } = credentials
  const sid = await accepted(async () =>
    (await twilioClient(api, credentials)).messages.create({
      to: inScheme.to(message.to),
      ...(messagingServiceSid === undefined ? { from: inScheme.from(message.from) } : { messagingServiceSid }),
      ...contentOf(message),
      ...(message.files.length > 0 && { mediaUrl: message.files.map(({ url }) => url) }),
      statusCallback: message.statusCallbackUrl,
    }),
  )
  return { externalMessageId: sid }
}

function contentOf(message: Outgoing): { body?: string; contentSid?: string; contentVariables?: string } {
  if (message.template === null) return message.body === '' ? {} : { body: message.body }
  return { contentSid: message.template.id, contentVariables: JSON.stringify(message.template.variables) }
}

async function accepted(create: () => Promise<{ sid: unknown }>): Promise<string> {
  try {
    const { sid } = await create()
    if (typeof sid === 'string' && sid !== '') return sid
  } catch (error) {
    if (error instanceof Rejected || error instanceof Unavailable || error instanceof Uncertain) throw error
    // The library threw after a 2xx: it could not read the answer.
  }
  throw new Uncertain('Twilio took the message, but its answer cannot be read')
}

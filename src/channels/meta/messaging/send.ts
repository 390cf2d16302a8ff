import type { Outgoing, SendResult } from '../../channel.ts'
import { Uncertain } from '../../failures.ts'
import type { MetaApp } from '../app.ts'
import { graphRequest } from '../graph.ts'
import { idIn } from '../json.ts'
import type { MessagingChannel } from './occasion.ts'
import { requestBody } from './outgoing.ts'

/** Where a channel's messages are posted, and with which token. `page`: the page's id, or "me", which is the token's own page. */
export type Sender = { channel: MessagingChannel; page: string; accessToken: string }

/** Throws Rejected, Unavailable or Uncertain. Instagram's messages go to the page's address too, with the page's token. */
export async function sendByPage(app: MetaApp, { channel, page, accessToken }: Sender, message: Outgoing): Promise<SendResult> {
  const body = requestBody(channel, message)
  const answer = await graphRequest(app, accessToken, { method: 'POST', path: `${page}/messages`, body, effect: 'message' })
  // A reaction gets no id at Meta.
  const id = message.content.kind === 'REACTION' ? `reaction:${message.communicationId}` : idIn(answer.message_id)
  if (id === null) throw new Uncertain('Meta took the message, but its answer does not name it')
  return { externalMessageId: id }
}

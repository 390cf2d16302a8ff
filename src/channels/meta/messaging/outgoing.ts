import type { Outgoing, OutgoingFile } from '../../channel.ts'
import type { InteractiveContent, MediaKind, ReactionContent } from '../../content.ts'
import { Rejected } from '../../failures.ts'
import type { Json } from '../json.ts'
import type { MessagingChannel } from './occasion.ts'
import { EMOJI } from './reaction.ts'

const ATTACHMENT_TYPES = {
  IMAGE: 'image',
  STICKER: 'image',
  AUDIO: 'audio',
  VOICE: 'audio',
  VIDEO: 'video',
  DOCUMENT: 'file',
} satisfies Record<MediaKind, string>

/**
 * The body of one request to `messages`. One request makes one message with one id, so it is either text or one file: Rejected otherwise.
 * Source: https://developers.facebook.com/docs/messenger-platform/reference/send-api
 */
export function requestBody(channel: MessagingChannel, message: Outgoing): Json {
  const { content } = message
  const recipient = { id: message.to }
  if (content.kind === 'REACTION') return { recipient, ...reaction(channel, content) }
  return {
    recipient,
    ...(message.humanAgent ? { messaging_type: 'MESSAGE_TAG', tag: 'HUMAN_AGENT' } : { messaging_type: 'RESPONSE' }),
    message: {
      ...bodyOf(message),
      // Comes back in the echo of the message; Instagram's echoes do not carry it.
      ...(channel === 'MESSENGER' && { metadata: message.communicationId }),
    },
  }
}

function bodyOf(message: Outgoing): Json {
  const { files, body, content } = message
  const [file, ...others] = files
  if (file !== undefined && others.length === 0 && body === '') return { attachment: attachment(file) }
  if (file !== undefined)
    throw new Rejected('ONE_PART_ONLY', 'A message here is a text or one file, not both: send them one after the other.')
  if (body === '') throw new Rejected('EMPTY', 'The message is empty: it needs a text or a file.')
  return content.kind === 'INTERACTIVE' ? question(body, content) : { text: body }
}

const attachment = ({ media, url }: OutgoingFile): Json => ({ type: ATTACHMENT_TYPES[media], payload: { url } })

/** Source: https://developers.facebook.com/docs/messenger-platform/send-messages/quick-replies */
function question(body: string, { header, footer, buttons, list }: InteractiveContent): Json {
  if (list !== null) throw new Rejected('NO_LISTS', 'Lists cannot be sent on this channel: use buttons.')
  const text = [header, body, footer].filter((part) => part !== null && part !== '').join('\n\n')
  return { text, quick_replies: buttons.map(({ id, title }) => ({ content_type: 'text', title, payload: id })) }
}

/** Meta's names where there are some; another emoji goes as it is. */
function reaction(channel: MessagingChannel, { emoji, target }: ReactionContent): Json {
  if (channel === 'MESSENGER') throw new Rejected('NO_REACTIONS', 'Reactions cannot be sent in Messenger.')
  if (emoji === null) return { sender_action: 'unreact', payload: { message_id: target } }
  return { sender_action: 'react', payload: { message_id: target, reaction: NAMES.get(plain(emoji)) ?? emoji } }
}

/** Without the mark that asks for a coloured glyph. */
const plain = (emoji: string): string => emoji.replaceAll('\ufe0f', '')

const NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries(EMOJI)
    .filter(([name]) => name !== 'smile' && name !== 'dislike')
    .map(([name, emoji]) => [plain(emoji), name]),
)

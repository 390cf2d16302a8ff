import type { MessageFact } from '../../fact.ts'
import { idIn, type Json, textIn } from '../json.ts'
import { madeId, messageBase, type Occasion } from './occasion.ts'

/** Meta's names of reactions; Instagram says laugh where Messenger says smile. Source: the reactions of https://developers.facebook.com/docs/messenger-platform/reference/webhook-events/message-reactions */
export const EMOJI: Readonly<Record<string, string>> = {
  smile: '😆',
  laugh: '😆',
  angry: '😠',
  sad: '😢',
  wow: '😮',
  love: '❤️',
  like: '👍',
  dislike: '👎',
}

/** `messaging[].reaction`: given or taken back. It has no id of its own, and old ones do not say what they react to. */
export function parseReaction(occasion: Occasion, reaction: Json): MessageFact {
  const { account, customer, direction, at } = occasion
  const target = idIn(reaction.mid)
  const name = textIn(reaction.reaction)
  const given = textIn(reaction.emoji) ?? (name !== null && Object.hasOwn(EMOJI, name) ? (EMOJI[name] ?? null) : null)
  const emoji = reaction.action === 'unreact' ? null : given
  const base = messageBase(occasion, madeId('reaction', [target, account, customer, direction, at, textIn(reaction.action), given]))
  const understood = target !== null && (emoji !== null || reaction.action === 'unreact')
  if (!understood) return { ...base, body: given ?? '', content: { kind: 'UNSUPPORTED', type: 'reaction', raw: reaction } }
  return { ...base, body: emoji ?? '', content: { kind: 'REACTION', emoji, target }, inReplyTo: target }
}

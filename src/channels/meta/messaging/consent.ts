import type { ConsentFact, MessageFact } from '../../fact.ts'
import { idIn, type Json, textIn } from '../json.ts'
import { identityOf, madeId, messageBase, type Occasion } from './occasion.ts'

/**
 * `messaging[].optin`. Marketing messages are agreed to, stopped and resumed by the customer at Meta; any other opt-in is a
 * click on a plugin of the business's website, which starts the conversation.
 * Source: https://developers.facebook.com/docs/messenger-platform/reference/webhook-events/messaging_optins
 */
export function parseOptIn(occasion: Occasion, optin: Json): ConsentFact | MessageFact {
  return optin.type === 'notification_messages' ? notificationConsent(occasion, optin) : pluginClick(occasion, optin)
}

function notificationConsent(occasion: Occasion, optin: Json): ConsentFact {
  const status = textIn(optin.notification_messages_status)
  const stopped = status === 'STOP_NOTIFICATIONS'
  const topic = textIn(optin.title) ?? textIn(optin.topic)
  const said = stopped
    ? 'Stopped marketing messages in'
    : status === 'RESUME_NOTIFICATIONS'
      ? 'Resumed marketing messages in'
      : 'Agreed to marketing messages in'
  return {
    kind: 'consent',
    identity: identityOf(occasion),
    purposes: ['MARKETING'],
    state: stopped ? 'OPTED_OUT' : 'OPTED_IN',
    source: 'PROVIDER',
    evidence: `${said} ${occasion.channel === 'INSTAGRAM' ? 'Instagram' : 'Messenger'}${topic === null ? '' : `: ${topic}`}`,
    at: occasion.at ?? new Date(),
  }
}

function pluginClick(occasion: Occasion, optin: Json): MessageFact {
  const { account, customer, at } = occasion
  const ref = textIn(optin.ref)
  const title = ref ?? textIn(optin.type) ?? ''
  return {
    ...messageBase(occasion, madeId('optin', [account, customer, at, ref, idIn(optin.user_ref)])),
    body: title,
    content: { kind: 'INTERACTIVE_REPLY', reply: 'POSTBACK', id: ref, title, description: null, data: optin },
    payload: { optin },
    consent: { state: 'OPTED_IN', source: 'PROVIDER' },
  }
}

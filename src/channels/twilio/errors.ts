import { Rejected } from '../failures.ts'

/** What Twilio answers to a wrong account SID or token. */
export const BAD_CREDENTIALS = '20003'
/** What Twilio answers when the recipient has written STOP. */
const OPTED_OUT = '21610'

/** Twilio's error codes in the words of a business owner. Source: https://www.twilio.com/docs/api/errors */
const SENTENCES: Readonly<Record<string, string>> = {
  [BAD_CREDENTIALS]: 'Twilio does not accept the account SID and auth token of this channel: check the credentials.',
  '20404': 'Twilio does not know what was asked for: check the account SID and the number of this channel.',
  '21211': 'The recipient is not a valid phone number.',
  '21212': 'The sender of this channel is not a valid phone number.',
  '21214': 'The recipient’s number cannot be reached.',
  '21408': 'This Twilio account may not send messages to the recipient’s country: enable the country in Twilio’s geographic permissions.',
  '21606': 'The sender of this channel cannot send messages to this recipient: it is not an SMS-capable number of this Twilio account.',
  '21608': 'A Twilio trial account can only write to numbers that were verified in Twilio.',
  [OPTED_OUT]: 'The recipient has opted out (STOP) and has to write START before messages can be sent again.',
  '21609': 'Twilio cannot call this server: whoever runs it has to set PUBLIC_URL to an address that can be reached from the internet.',
  '21612': 'This sender cannot reach the recipient: the route between the two numbers is not supported.',
  '21614': 'The recipient’s number is not a mobile phone and cannot receive text messages.',
  '21617': 'The message is longer than the 1600 characters that Twilio accepts.',
  '21619': 'The message is empty: it needs a text, a template or media.',
  '21620':
    'Twilio cannot use the address of an attachment: whoever runs the server has to set PUBLIC_URL to one that can be reached from the internet.',
  '21623': 'The message has more files than Twilio takes in one.',
  '21655': 'Twilio does not know the template of this message: check its ContentSid (HX…).',
  '21656': 'The values for the template’s placeholders are not what the template expects.',
  '21660': 'The sender of this channel does not belong to this Twilio account.',
  '21664': 'A fallback to SMS needs a messaging service: the message named a sender as well.',
  '21665': 'The sender for the fallback to SMS is not an SMS sender of this Twilio account.',
  '21666': 'A fallback to SMS needs a messaging service: add it to the credentials of this channel.',
  '21667': 'The messaging service of this channel has no RCS sender: add the sender to the service in Twilio.',
  '21703': 'The Twilio messaging service of this channel has no number to send from.',
  '30001': 'Too many messages were waiting at Twilio, so this one was not sent.',
  '30002': 'The Twilio account is suspended: contact Twilio.',
  '30003': 'The recipient’s phone could not be reached: it is switched off, without reception, or cannot receive text messages.',
  '30004': 'The message was blocked: the recipient or the carrier does not accept messages from this sender.',
  '30005': 'The recipient’s number is unknown or no longer in use.',
  '30006': 'The recipient’s number is a landline, or its carrier cannot be reached.',
  '30007': 'The carrier filtered the message as unwanted: check its text and links against the carrier’s rules.',
  '30008': 'The carrier did not deliver the message and gave no reason.',
  '30019': 'The files are larger than the recipient’s carrier takes: send smaller ones, at best below 600 kB.',
  '30034': 'Messages to the United States need a sender registered for A2P 10DLC, and this one is not.',
  '63001': 'WhatsApp did not accept Twilio’s credentials for this sender: connect the sender in Twilio again.',
  '63003': 'The recipient cannot be found on this channel: the number probably has no WhatsApp.',
  '63005': 'WhatsApp did not accept the content of the message.',
  '63007': 'The sender of this channel is not set up for WhatsApp in this Twilio account.',
  '63013': 'WhatsApp refused the message because it breaks WhatsApp’s policy.',
  '63015': 'Twilio’s WhatsApp sandbox can only write to numbers that have joined it.',
  '63016': 'More than 24 hours have passed since the customer’s last message: only an approved template can be sent now.',
  '63018': 'WhatsApp’s rate limit for this sender was exceeded: send fewer messages, or later.',
  '63019': 'WhatsApp could not download the attachment.',
  '63021': 'WhatsApp did not accept the content of the message.',
  '63024': 'The recipient is not a valid WhatsApp recipient.',
  '63027': 'The template does not exist in this language.',
  '63028': 'The number of values does not match the placeholders of the template.',
  '63030': 'This content cannot be shown on the recipient’s channel.',
  '63032': 'WhatsApp’s own limitations forbid sending this message to this user.',
  '63049': 'WhatsApp chose not to deliver this marketing message, to keep the user from getting too many.',
}

/** A sentence for `code`; an unknown one keeps what Twilio said. */
export function explain(code: string, said?: string): string {
  const sentence = Object.hasOwn(SENTENCES, code) ? SENTENCES[code] : undefined
  if (sentence !== undefined) return sentence
  return said === undefined || said === ''
    ? `Twilio refused the message (error ${code}).`
    : `Twilio refused the message (error ${code}): ${said}`
}

/** The refusal that `code` means; `said` is Twilio's own message. */
export const refusal = (code: string, said?: string): Rejected =>
  new Rejected(code, explain(code, said), { recipientOptedOut: code === OPTED_OUT })

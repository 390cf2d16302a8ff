import { Rejected } from '../failures.ts'

/** Meta's error object, as Graph API answers and failed statuses carry it. */
export type MetaError = { code: string; subcode: string | null; said: string | null }

/** The recipient takes no marketing messages from this business. */
export const MARKETING_OPTED_OUT = '131050'
const BAD_TOKEN = '190'

const WINDOW_CLOSED = 'The messaging window has closed: the customer last wrote too long ago. They have to write first.'
const RATE = 'Meta’s limit of messages in a short time was reached: send more slowly, or later.'
const NOT_PERMITTED =
  'Meta does not permit this: the access token lacks a permission, or the app has no access to this account. Make a new token with all permissions.'

/**
 * Meta's error codes, with the subcode after a slash where it decides, in the words of a business owner.
 * Sources: https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes and
 * https://developers.facebook.com/docs/messenger-platform/error-codes
 */
const SENTENCES: Readonly<Record<string, string>> = {
  '0': 'Meta could not recognize the app’s user: make a new access token.',
  '3': 'The app may not use this part of Meta’s platform: check the app’s permissions.',
  '4': RATE,
  '10': NOT_PERMITTED,
  '10/2018065': WINDOW_CLOSED,
  '10/2018108': 'The customer does not take messages from this page now.',
  '10/2018278': WINDOW_CLOSED,
  '10/2534022': WINDOW_CLOSED,
  '33': 'The sender of this channel was deleted at Meta: check the id of the phone number or page.',
  '100': 'Meta did not understand the message: something in it is missing, too long or not allowed.',
  '100/2018001': 'The recipient is unknown to Meta: the conversation was deleted, or the id belongs to another page.',
  '100/2018109': 'The attachment is larger than Meta accepts.',
  '100/2534014': 'The recipient is unknown to Instagram: the conversation was deleted, or the id belongs to another account.',
  '102': 'The access token is no longer valid: make a new one in Meta’s Business settings and enter it here.',
  [BAD_TOKEN]:
    'Meta does not accept the access token: it has expired or was revoked. Make a new one in Meta’s Business settings and enter it here.',
  '200': NOT_PERMITTED,
  '200/1545041': 'The customer cannot be written to: they have blocked this page or deleted the conversation.',
  '230': 'The app lacks the permission pages_messaging: grant it and make a new access token.',
  '368': 'Meta has blocked this account for a time because it broke a policy: look at the account quality at Meta.',
  '551': 'The customer cannot be written to now: they have blocked messages from this page.',
  '613': RATE,
  '80001': RATE,
  '80002': RATE,
  '80006': RATE,
  '80007': RATE,
  '130429': RATE,
  '130472': 'WhatsApp left this person out of marketing messages for an experiment of its own. Nothing can be done about it.',
  '130497': 'This business may not send messages to people in the recipient’s country.',
  '131000': 'WhatsApp could not send the message and gave no reason. Try again; if it goes on, contact Meta.',
  '131005': NOT_PERMITTED,
  '131008': 'The message lacks something that WhatsApp requires.',
  '131009': 'Something in the message is not as WhatsApp wants it.',
  '131016': 'WhatsApp’s service is overloaded: try again later.',
  '131021': 'The recipient is the sender itself: choose another number.',
  '131026': 'The message cannot be delivered: the number has no WhatsApp, an old version of it, or has not accepted WhatsApp’s terms.',
  '131030': 'The recipient is not on the list of test numbers: add the number to it, or take the sender out of test mode.',
  '131031': 'WhatsApp has locked this business account because it broke a policy or its data could not be verified.',
  '131037': 'The sender’s display name has not been approved yet: have it approved in WhatsApp Manager.',
  '131042': 'WhatsApp could not charge this business: check the payment method in WhatsApp Manager.',
  '131045': 'The sender’s phone number is not registered: register it in WhatsApp Manager.',
  '131047': 'More than 24 hours have passed since the customer’s last message: only an approved template can be sent now.',
  '131048': 'WhatsApp limits this sender because people blocked or reported it: look at its quality in WhatsApp Manager.',
  '131049': 'WhatsApp chose not to deliver this marketing message, to keep the person from getting too many. Wait before trying again.',
  [MARKETING_OPTED_OUT]: 'The customer has stopped marketing messages from this business. Other messages still reach them.',
  '131051': 'This kind of message is not supported by WhatsApp.',
  '131052': 'WhatsApp could not download the attachment that the customer sent: ask them to send it again.',
  '131053': 'WhatsApp did not take the attachment: its kind or size is not supported.',
  '131055': 'This kind of sending is not allowed on WhatsApp.',
  '131056': 'Too many messages went to this one recipient in a short time: wait before the next.',
  '131057': 'The sender is being maintained by WhatsApp: try again later.',
  '131062': 'An authentication template cannot be sent to a person whose phone number is not known.',
  '132000': 'The number of values does not match the placeholders of the template.',
  '132001': 'The template does not exist in this language, or has not been approved.',
  '132005': 'The template becomes too long with these values.',
  '132007': 'The template’s content breaks a policy of WhatsApp.',
  '132012': 'The values for the template’s placeholders are not of the kind that the template expects.',
  '132015': 'The template is paused because people did not like it: edit it in WhatsApp Manager.',
  '132016': 'The template is disabled for good because people did not like it: make a new one.',
  '132018': 'A value for the template’s placeholders holds something that WhatsApp does not allow, such as a line break.',
  '132068': 'The flow of this template is blocked.',
  '132069': 'The flow of this template is throttled: too many messages with it were sent in the last hour.',
  '133000': 'An earlier deregistration of the sender was not completed: deregister it once more.',
  '133004': 'WhatsApp’s server is away for a moment: try again later.',
  '133005': 'The two-step verification code of the sender is wrong.',
  '133006': 'The sender’s phone number has to be verified first: do so in WhatsApp Manager.',
  '133010': 'The sender’s phone number is not registered with the Cloud API: register it in WhatsApp Manager.',
  '133015': 'The sender’s phone number was deleted a moment ago: wait five minutes.',
  '134011': 'WhatsApp’s terms for payments have not been accepted.',
  '135000': 'WhatsApp refused the message for a reason of its own: check what the message is made of.',
}

const sentence = (key: string): string | undefined => (Object.hasOwn(SENTENCES, key) ? SENTENCES[key] : undefined)

/** A sentence for the error; an unknown one keeps what Meta said. */
export function explain({ code, subcode, said }: MetaError): string {
  const known = (subcode === null ? undefined : sentence(`${code}/${subcode}`)) ?? sentence(code)
  if (known !== undefined) return code === '100' && said !== null ? `${known} (${said})` : known
  return said === null || said === '' ? `Meta refused the message (error ${code}).` : `Meta refused the message (error ${code}): ${said}`
}

/** The refusal that the error means. Its code is `code`, or `code/subcode` where the subcode decides. */
export function refusal(error: MetaError): Rejected {
  const { code, subcode } = error
  const decisive = subcode !== null && sentence(`${code}/${subcode}`) !== undefined
  return new Rejected(decisive ? `${code}/${subcode}` : code, explain(error), {
    recipientOptedOut: code === MARKETING_OPTED_OUT,
    ...(code === MARKETING_OPTED_OUT && { optedOutOf: ['MARKETING'] }),
  })
}

/** Codes after which the message surely was not taken and a later attempt may succeed. */
const LATER = new Set([
  '4',
  '17',
  '32',
  '341',
  '613',
  '1200',
  '80001',
  '80002',
  '80006',
  '80007',
  '130429',
  '131016',
  '131056',
  '131057',
  '133004',
])

export const isForLater = ({ code }: MetaError): boolean => LATER.has(code)

/** The error object of an answer (`{"error": {…}}`) or of a status; null where there is none. */
export function errorIn(value: unknown): MetaError | null {
  if (typeof value !== 'object' || value === null) return null
  const { code, error_subcode, message, title, error_data, error_user_msg } = value as Record<string, unknown>
  if (typeof code !== 'number' && typeof code !== 'string') return null
  const details = typeof error_data === 'object' && error_data !== null ? (error_data as Record<string, unknown>).details : undefined
  const said = [details, error_user_msg, message, title].find((text): text is string => typeof text === 'string' && text !== '')
  const subcode = typeof error_subcode === 'number' || typeof error_subcode === 'string' ? String(error_subcode) : null
  return { code: String(code), subcode, said: said === undefined ? null : said.slice(0, 500) }
}

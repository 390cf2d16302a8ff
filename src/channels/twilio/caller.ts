import type { CallFact } from '../fact.ts'

const WORDS = ['anonymous', 'restricted', 'unknown', 'unavailable', 'blocked', 'private']
/** The words on a keypad, but for the last: it is RESTRICTED (7378742833) as Twilio's help misprints it. None is anybody's number. */
const DIGITS = ['266696687', '7378742833', '8656696', '86282452253', '2562533', '7378742883']
const STAND_INS = new Set([...WORDS, ...DIGITS])

/**
 * Whether the caller of an inbound call withholds the number: Twilio then says a word in its place, or the word's digits, or nothing.
 * Source: https://support.twilio.com/hc/en-us/articles/223179988 and
 * https://www.twilio.com/en-us/changelog/upcoming-changes-to-withheld-caller-ids-behavior-for-dial-calls
 */
export const isWithheld = (from: string | undefined): boolean =>
  from === undefined || STAND_INS.has(from.trim().toLowerCase().replace(/^\+/, ''))

/** All who withhold their numbers are one customer of the organization's, because nothing tells them apart. They cannot be answered. */
export const withheldCaller: Pick<CallFact, 'address' | 'identities' | 'profileName'> = {
  address: null,
  identities: [{ kind: 'EXTERNAL', scope: 'withheld', value: 'withheld number', verified: true }],
  profileName: 'Withheld number',
}

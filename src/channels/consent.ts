import type { ConsentWord } from './fact.ts'

/** Source: Twilio's default keywords, https://help.twilio.com/articles/223134027 (REVOKE and OPTOUT since April 2025). */
const STOP_WORDS = new Set(['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'REVOKE', 'OPTOUT'])
const START_WORDS = new Set(['START', 'UNSTOP', 'YES'])

/** On a button these are answers to a question, not words about consent. */
const ANSWERS = new Set(['CANCEL', 'END', 'QUIT', 'YES', 'START'])

/** What a pressed button says about consent: "Unsubscribe", which is how marketing messages let people say so, but not "Cancel". */
export const consentOfButton = (title: string): ConsentWord | null => (ANSWERS.has(title.trim().toUpperCase()) ? null : consentOf(title))

/** What a message says about consent: only the whole trimmed text counts, in any case, never a word inside a sentence. */
export function consentOf(body: string): ConsentWord | null {
  const word = body.trim().toUpperCase()
  if (STOP_WORDS.has(word)) return { state: 'OPTED_OUT', source: 'KEYWORD' }
  return START_WORDS.has(word) ? { state: 'OPTED_IN', source: 'KEYWORD' } : null
}

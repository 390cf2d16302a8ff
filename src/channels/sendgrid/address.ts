import { domainToASCII } from 'node:url'
import { addressParser } from 'postal-mime'
import type { Identity, Mailbox } from '../fact.ts'

/** RFC 5321, section 4.5.3.1. */
const MAX_ADDRESS = 254
const LOCAL_PART = /^[^\s@"<>(),;:\\[\]\p{Cc}]{1,64}$/u
const DOMAIN = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/
/** As `withReplyToken` writes it. */
const REPLY_TOKEN = /\+[0-9a-z]{38}@/

const MAX_MAILBOXES = 100
const MAX_HEADER = 50_000
const MAX_NAME = 200

/** In lower case, the domain in ASCII (punycode); null where it is no e-mail address. */
export function normalizeEmail(address: string): string | null {
  const spelled = address
    .trim()
    .replace(/^mailto:/i, '')
    .toLowerCase()
    .normalize('NFC')
  const at = spelled.lastIndexOf('@')
  const domain = domainToASCII(spelled.slice(at + 1))
  const normalized = `${spelled.slice(0, at)}@${domain}`
  if (at < 1 || normalized.length > MAX_ADDRESS || !LOCAL_PART.test(spelled.slice(0, at)) || !DOMAIN.test(domain)) return null
  return normalized
}

export const identifyEmail = (address: string): Identity => ({ kind: 'EMAIL', scope: '', value: address, verified: false })

/** The mailboxes of an address header, their addresses normalized; what is none is left out. Groups are taken apart. */
export function mailboxesOf(header: string | undefined): Mailbox[] {
  const spelled = (header ?? '').slice(0, MAX_HEADER)
  if (spelled.trim() === '') return []
  const [plain, bare] = [parsed(spelled), parsed(withoutComments(spelled))]
  return plain.length >= bare.length ? plain : bare
}

const parsed = (header: string): Mailbox[] =>
  addressParser(header, { flatten: true })
    .slice(0, MAX_MAILBOXES)
    .flatMap(({ name, address }) => {
      const normalized = normalizeEmail(address ?? '')
      return normalized === null ? [] : [{ name: name.trim() === '' ? null : name.trim().slice(0, MAX_NAME), address: normalized }]
    })

/** RFC 5322 allows comments, nested ones too, in the middle of an address, where the parser does not expect them. */
function withoutComments(header: string): string {
  let depth = 0
  let quoted = false
  let kept = ''
  for (let at = 0; at < header.length; at++) {
    const character = header[at] ?? ''
    if (character === '\\') {
      if (depth === 0) kept += character + (header[at + 1] ?? '')
      at++
    } else if (character === '"' && depth === 0) {
      quoted = !quoted
      kept += character
    } else if (character === '(' && !quoted) depth++
    else if (character === ')' && depth > 0) depth--
    else if (depth === 0) kept += character
  }
  return kept
}

/** Each address as it is, followed by what is left without a reply token: the account's own; without doubles. */
export const accountAddresses = (addresses: readonly string[]): string[] => [
  ...new Set(addresses.flatMap((address) => [address, address.replace(REPLY_TOKEN, '@')])),
]

/** Whether one domain is the other, or below it. */
export const aligned = (one: string, other: string): boolean => one === other || one.endsWith(`.${other}`) || other.endsWith(`.${one}`)

export const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1)

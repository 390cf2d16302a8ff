import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Config } from '../config.ts'

type Keys = Pick<Config, 'ENCRYPTION_KEY'>

const ID_BYTES = 16
const MAC_BYTES = 8
/** Base 36, because mail servers may change the case of a local part: 24 bytes are 38 digits. */
const DIGITS = 38
const MAX_LOCAL_PART = 64

/**
 * `address` with a token that names the conversation, signed for the organization: `support+<38 digits>@example.com`. The address itself
 * where its local part (at most 64 characters, RFC 5321) has no room for it.
 */
export function withReplyToken(config: Keys, address: string, organizationId: string, conversationId: string): string {
  const at = address.lastIndexOf('@')
  const local = address.slice(0, at)
  const [key] = keysOf(config)
  if (key === undefined) throw new Error('ENCRYPTION_KEY holds no key')
  if (local.length + 1 + DIGITS > MAX_LOCAL_PART) return address
  const id = Buffer.from(conversationId.replaceAll('-', ''), 'hex')
  return `${local}+${digitsOf(Buffer.concat([id, macOf(key, organizationId, id)]))}${address.slice(at)}`
}

/** The conversation that the address's token names; null where it has none, or one that we did not sign for this organization. */
export function conversationOfReplyToken(config: Keys, address: string, organizationId: string): string | null {
  const digits = /\+([0-9a-z]{38})@[^@]*$/i.exec(address)?.[1]
  const bytes = digits === undefined ? null : bytesOf(digits.toLowerCase())
  if (bytes === null) return null
  const [id, mac] = [bytes.subarray(0, ID_BYTES), bytes.subarray(ID_BYTES)]
  if (!keysOf(config).some((key) => timingSafeEqual(mac, macOf(key, organizationId, id)))) return null
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

const digitsOf = (bytes: Buffer): string =>
  BigInt(`0x${bytes.toString('hex')}`)
    .toString(36)
    .padStart(DIGITS, '0')

function bytesOf(digits: string): Buffer | null {
  const number = [...digits].reduce((sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)), 0n)
  const hex = number.toString(16).padStart((ID_BYTES + MAC_BYTES) * 2, '0')
  return hex.length === (ID_BYTES + MAC_BYTES) * 2 ? Buffer.from(hex, 'hex') : null
}

const macOf = (key: Buffer, organizationId: string, id: Buffer): Buffer =>
  createHmac('sha256', key).update(`${organizationId} `).update(id).digest().subarray(0, MAC_BYTES)

const derived = new WeakMap<Buffer, Buffer>()

/** One key for each ENCRYPTION_KEY, so that tokens of before a rotation stay valid. Their own purpose: they decrypt nothing. */
function keysOf({ ENCRYPTION_KEY }: Keys): Buffer[] {
  return ENCRYPTION_KEY.map((key) => {
    const known = derived.get(key) ?? Buffer.from(hkdfSync('sha256', key, '', 'parley e-mail reply tokens', 32))
    derived.set(key, known)
    return known
  })
}

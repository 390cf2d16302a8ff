import type { Deps } from '../deps.ts'
import type { Visitor } from '../visitor-tokens.ts'

const KEY_ID_BYTES = 4

/** A place in the log, as one visitor keeps it: encrypted, because the bare number would tell how much goes on in the organization. */
export const sealCursor = (deps: Pick<Deps, 'secrets'>, visitor: Visitor, seq: bigint): string =>
  seal(deps, visitor, 'cursor', seq.toString())

/** null: not a cursor of this visitor's. */
export function openCursor(deps: Pick<Deps, 'secrets'>, visitor: Visitor, cursor: string): bigint | null {
  const seq = open(deps, visitor, 'cursor', cursor)
  return seq === null ? null : BigInt(seq)
}

/** An upload's id, as the one visitor has it who may send it. */
export const sealUpload = (deps: Pick<Deps, 'secrets'>, visitor: Visitor, attachmentId: string): string =>
  seal(deps, visitor, 'upload', attachmentId)

/** null: not an upload of this visitor's. */
export const openUpload = (deps: Pick<Deps, 'secrets'>, visitor: Visitor, sealed: string): string | null =>
  open(deps, visitor, 'upload', sealed)

const markOf = (visitor: Visitor, kind: string): string => `webchat ${kind} ${visitor.channelAccountId} ${visitor.id} `

function seal({ secrets }: Pick<Deps, 'secrets'>, visitor: Visitor, kind: string, value: string): string {
  const { keyId, ciphertext } = secrets.encrypt(markOf(visitor, kind) + value)
  return Buffer.concat([Buffer.from(keyId, 'hex'), ciphertext]).toString('base64url')
}

function open({ secrets }: Pick<Deps, 'secrets'>, visitor: Visitor, kind: string, sealed: string): string | null {
  const bytes = Buffer.from(sealed, 'base64url')
  const mark = markOf(visitor, kind)
  try {
    const plain = secrets.decrypt(bytes.subarray(0, KEY_ID_BYTES).toString('hex'), bytes.subarray(KEY_ID_BYTES))
    return plain.startsWith(mark) ? plain.slice(mark.length) : null
  } catch {
    // Neither a key of ours nor bytes that one of them has made.
    return null
  }
}

const PREFIX = 'e1:'
const MAX_SEQ = 2n ** 63n - 1n

/** The place after event `seq`, as clients keep it: opaque, versioned, safe in a URL. */
export function encodeCursor(seq: bigint): string {
  return Buffer.from(`${PREFIX}${seq}`).toString('base64url')
}

/** The `seq` that encodeCursor was given; null where the text is not one of our cursors. */
export function decodeCursor(text: string): bigint | null {
  const plain = Buffer.from(text, 'base64url').toString('latin1')
  if (!/^e1:(0|[1-9]\d{0,18})$/.test(plain)) return null
  const seq = BigInt(plain.slice(PREFIX.length))
  return seq <= MAX_SEQ && encodeCursor(seq) === text ? seq : null
}

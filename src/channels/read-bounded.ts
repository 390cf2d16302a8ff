/** An answer that goes on after what is allowed. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge'
}

/** Reads at most `maxBytes`. Throws TooLarge, or what broke the connection. */
export async function readBounded(answer: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) throw new TooLarge(`more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

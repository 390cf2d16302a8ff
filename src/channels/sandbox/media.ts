import { Rejected } from '../failures.ts'

/** Media of a simulated message: only what its `data:` URL itself contains, because nothing leaves the machine. */
export async function fetchInlineMedia(url: string, maxBytes: number): Promise<{ body: Buffer; contentType: string | null }> {
  if (!/^data:/i.test(url)) throw new Rejected('FOREIGN_MEDIA', 'The sandbox fetches nothing: give the attachment as a data: URL.')
  // fetch reads a data: URL without a network.
  const answer = await fetch(url).catch(() => {
    throw new Rejected('UNREADABLE_MEDIA', 'The attachment’s data: URL cannot be read.')
  })
  const body = Buffer.from(await answer.arrayBuffer())
  if (body.byteLength > maxBytes)
    throw new Rejected('MEDIA_TOO_LARGE', `The attachment is larger than the ${maxBytes} bytes that are allowed.`)
  return { body, contentType: answer.headers.get('content-type') }
}

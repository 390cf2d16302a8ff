import type { IncomingMessage } from 'node:http'
import { HttpError, RequestAborted } from './errors.ts'

/** The bodies of requests that nobody has vouched for yet, as far as they are more than small, share a bounded part of the memory. */
export type LargeBodies = {
  /**
   * Reads the request's body and gives its memory back when `work` is done. HttpError 413 over `limitBytes`, 503 where other requests have all
   * the memory: a provider repeats. RequestAborted where the client went away.
   */
  during<Result>(request: IncomingMessage, limitBytes: number, work: (body: Buffer) => Promise<Result>): Promise<Result>
}

/** Bodies of at most `smallBytes` count for nothing; all others together hold at most `totalBytes`. */
export function createLargeBodies({ smallBytes, totalBytes }: { smallBytes: number; totalBytes: number }): LargeBodies {
  let held = 0
  return {
    async during(request, limitBytes, work) {
      let own = 0
      const grow = (size: number): void => {
        if (size > limitBytes) throw new HttpError(413, `The body is larger than ${limitBytes} bytes, the limit of this address.`)
        if (size <= smallBytes || size <= own) return
        if (held + size - own > totalBytes) throw new HttpError(503, 'Too many large requests at the same time; try again soon.')
        held += size - own
        own = size
      }
      try {
        return await work(await read(request, grow))
      } finally {
        held -= own
      }
    },
  }
}

/** `grow` is told the size before the bytes arrive, where the client tells it, and again as they do. */
const read = (request: IncomingMessage, grow: (size: number) => void): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const grown = (newSize: number): void => {
      try {
        grow(newSize)
      } catch (error) {
        reject(error)
        // Read and thrown away, so that the client gets to read the answer.
        request.off('data', take).resume()
      }
    }
    const take = (chunk: Buffer): void => {
      size += chunk.byteLength
      chunks.push(chunk)
      grown(size)
    }
    const aborted = (cause?: Error): void => reject(new RequestAborted('the client went away during the upload', { cause }))
    // Whoever is gone already will not say so again.
    if (request.destroyed) return aborted()
    request
      .on('data', take)
      .once('end', () => {
        request.off('close', aborted)
        resolve(Buffer.concat(chunks))
      })
      .once('error', aborted)
      .once('close', aborted)
    grown(Number(request.headers['content-length'] ?? 0))
  })

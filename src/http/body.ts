import type { IncomingMessage } from 'node:http'
import getRawBody from 'raw-body'
import { HttpError, RequestAborted } from './errors.ts'

/**
 * The request's body as it came, byte for byte. Over `limitBytes`, which is `limit` in words: HttpError 413; cut off by the client:
 * RequestAborted.
 * The rest of a refused upload is read and thrown away, so that the client gets to read the answer.
 */
export async function readBody(request: IncomingMessage, limitBytes: number, limit = 'the limit set by MAX_BODY_BYTES'): Promise<Buffer> {
  try {
    return await getRawBody(request, { limit: limitBytes, length: request.headers['content-length'] })
  } catch (error) {
    const { type, code } = error as { type?: string; code?: string }
    if (type === 'entity.too.large') {
      request.resume()
      throw new HttpError(413, `The body is larger than ${limitBytes} bytes, ${limit}.`)
    }
    const abandoned = type === 'request.aborted' || code === 'ECONNRESET' || (type === 'stream.not.readable' && request.destroyed)
    if (abandoned) throw new RequestAborted('the client went away during the upload', { cause: error })
    throw error
  }
}

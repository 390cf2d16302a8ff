import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { Config } from '../config.ts'
import { readBody } from './body.ts'
import { HttpError } from './errors.ts'
import type { GraphQLServer } from './graphql.ts'
import type { Handler } from './router.ts'

/** /graphql over HTTP, with the size of the request's body limited. */
export function graphqlHandler(config: Pick<Config, 'MAX_BODY_BYTES'>, yoga: GraphQLServer): Handler {
  return async (request, response) => {
    const length = request.headers['content-length']
    if (length !== undefined && Number(length) > config.MAX_BODY_BYTES) {
      throw new HttpError(413, `The body has ${length} bytes; at most ${config.MAX_BODY_BYTES} (MAX_BODY_BYTES) are allowed.`)
    }
    // Node holds a body to its Content-Length; one that comes in chunks is counted by reading it.
    if (request.headers['transfer-encoding'] !== undefined) {
      const body = await readBody(request, config.MAX_BODY_BYTES)
      Object.assign(request, { body: Readable.from([body]) } satisfies Partial<IncomingMessage & { body: Readable }>)
    }
    await yoga(request, response)
  }
}

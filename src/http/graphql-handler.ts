import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { Config } from '../config.ts'
import { readBody } from './body.ts'
import type { DirectReads } from './direct-reads.ts'
import { HttpError } from './errors.ts'
import type { GraphQLServer } from './graphql.ts'
import type { Handler } from './router.ts'

/** /graphql over HTTP: the body is read within its limit; reads are answered directly where they can be, all else by Yoga. */
export function graphqlHandler(config: Pick<Config, 'MAX_BODY_BYTES'>, yoga: GraphQLServer, reads: DirectReads): Handler {
  return async (request, response) => {
    if (request.method === 'POST') {
      const body = await boundedBody(request, config.MAX_BODY_BYTES)
      if (await reads.answer(request, response, body)) return
      Object.assign(request, { body: Readable.from([body]) } satisfies Partial<IncomingMessage & { body: Readable }>)
    }
    await yoga(request, response)
  }
}

async function boundedBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const length = request.headers['content-length']
  if (length !== undefined && Number(length) > limit) {
    throw new HttpError(413, `The body has ${length} bytes; at most ${limit} (MAX_BODY_BYTES) are allowed.`)
  }
  return readBody(request, limit)
}

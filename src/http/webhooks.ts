import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RawRequest } from '../channels/channel.ts'
import type { Deps } from '../deps.ts'
import { type IngestOutcome, ingestWebhook } from '../domain/ingest-webhook.ts'
import { readBody } from './body.ts'
import { HttpError } from './errors.ts'
import { allowsMethod } from './json.ts'
import type { Metrics } from './metrics.ts'
import type { Handler } from './router.ts'
import { createWebhookAccounts, type WebhookAccount } from './webhook-accounts.ts'

type WebhookDeps = Deps & { metrics: Metrics }

const NOTHING_HERE = 'There is nothing at this address.'

/**
 * POST /webhooks/:wire/:organizationSlug/:segment. 404 without detail where the organization or number is unknown, 403 where the
 * signature is missing or wrong, 2xx when the request and what it says are stored. 5xx only when we could not store: the provider repeats.
 */
export function createWebhookHandler(deps: WebhookDeps): Handler {
  const accounts = createWebhookAccounts(deps)
  return async (request, response, url) => {
    if (!allowsMethod(request, response, ['POST'])) return
    const [, , path = '', slug = '', segment = ''] = url.pathname.split('/')
    const adapters = deps.channels.speaking(path)
    const [speaker] = adapters
    if (speaker === undefined || url.pathname.split('/').length !== 5) throw new HttpError(404, NOTHING_HERE)
    const count = (outcome: string) => deps.metrics.webhooks.inc({ provider: path, outcome })
    try {
      const raw = await rawRequest(deps, request, url)
      const locator = speaker.wire.locate(segment, raw)
      const find = async (fresh: boolean) => (locator === null ? null : accounts.find(slug, adapters, locator, fresh))
      count(await accept(deps, await verified(raw, find), segment, raw, response))
    } catch (error) {
      count(error instanceof HttpError ? String(error.status) : 'error')
      throw error
    }
  }
}

/** The account that the request means, where its signature is right. Credentials that are remembered may be yesterday's: a doubt is looked up. */
async function verified(raw: RawRequest, find: (fresh: boolean) => Promise<WebhookAccount | null>): Promise<WebhookAccount> {
  const found = await find(false)
  if (found === null) throw new HttpError(404, NOTHING_HERE)
  if (found.adapter.wire.verify(raw, found.credentials)) return found
  if (found.remembered) {
    const again = await find(true)
    if (again === null) throw new HttpError(404, NOTHING_HERE)
    if (again.adapter.wire.verify(raw, again.credentials)) return again
  }
  throw new HttpError(403, 'The signature is missing or wrong.')
}

async function accept(
  deps: WebhookDeps,
  { account, adapter }: WebhookAccount,
  segment: string,
  raw: RawRequest,
  response: ServerResponse,
): Promise<IngestOutcome> {
  const outcome = await ingestWebhook(deps, account, adapter, raw, adapter.wire.parse(segment, raw))
  const { contentType, body } = adapter.wire.acknowledgement
  response.writeHead(200, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }).end(body)
  return outcome
}

/** The URL is the public one, which the provider signed; it is never guessed from headers. */
async function rawRequest(deps: WebhookDeps, request: IncomingMessage, url: URL): Promise<RawRequest> {
  return {
    method: 'POST',
    url: `${deps.config.PUBLIC_URL}${url.pathname}${url.search}`,
    headers: Object.fromEntries(
      Object.entries(request.headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
      ),
    ),
    body: await readBody(request, deps.config.MAX_BODY_BYTES),
  }
}

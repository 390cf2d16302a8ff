import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AnyChannelAdapter, Locator, RawRequest } from '../channels/channel.ts'
import type { ChannelAccount } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { credentialsOf } from '../domain/channel-credentials.ts'
import { ingestWebhook } from '../domain/ingest-webhook.ts'
import { readBody } from './body.ts'
import { HttpError } from './errors.ts'
import { allowsMethod } from './json.ts'
import type { Metrics } from './metrics.ts'
import type { Handler } from './router.ts'

type WebhookDeps = Deps & { metrics: Metrics }

type Account = Pick<ChannelAccount, 'id' | 'organizationId' | 'channel' | 'provider' | 'address' | 'credentials' | 'credentialsKey'>

const NOTHING_HERE = 'There is nothing at this address.'

/**
 * POST /webhooks/:wire/:organizationSlug/:segment. 404 without detail where the organization or number is unknown, 403 where the
 * signature is missing or wrong, 2xx when the request and what it says are stored. 5xx only when we could not store: the provider repeats.
 */
export function createWebhookHandler(deps: WebhookDeps): Handler {
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
      const account = locator === null ? null : await findAccount(deps, slug, adapters, locator)
      if (account === null) {
        count('unknown')
        throw new HttpError(404, NOTHING_HERE)
      }
      await accept(deps, account, segment, raw, response, count)
    } catch (error) {
      if (!(error instanceof HttpError)) count('error')
      throw error
    }
  }
}

async function accept(
  deps: WebhookDeps,
  account: Account,
  segment: string,
  raw: RawRequest,
  response: ServerResponse,
  count: (outcome: string) => void,
): Promise<void> {
  const adapter: AnyChannelAdapter = deps.channels.get(account.provider, account.channel)
  if (!adapter.wire.verify(raw, credentialsOf(deps, adapter, account))) {
    count('forbidden')
    throw new HttpError(403, 'The signature is missing or wrong.')
  }
  count(await ingestWebhook(deps, account, adapter, raw, adapter.wire.parse(segment, raw)))
  const { contentType, body } = adapter.wire.acknowledgement
  response.writeHead(200, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }).end(body)
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

async function findAccount(
  deps: Pick<Deps, 'pool'>,
  slug: string,
  adapters: readonly AnyChannelAdapter[],
  locator: Locator,
): Promise<Account | null> {
  const { rows } = await deps.pool.query<Account>({
    name: 'webhook-account',
    text: `
      SELECT a.id, a.organization_id AS "organizationId", a.channel, a.provider, a.address, a.credentials, a.credentials_key AS "credentialsKey"
      FROM organization o JOIN channel_account a ON a.organization_id = o.id
      WHERE o.slug = $1 AND a.status = 'CONNECTED' AND a.provider::text = ANY($2) AND ($3::text IS NULL OR a.channel::text = $3)
        AND (a.address = ANY($4) OR a.routing_keys && $4
          OR a.id = (SELECT channel_account_id FROM communication WHERE id = $5::uuid AND organization_id = o.id))
      ORDER BY (a.address = ANY($4)) DESC, a.id LIMIT 1`,
    values: [slug, [...new Set(adapters.map(({ provider }) => provider))], locator.channel, locator.addresses, locator.communicationId],
  })
  return rows[0] ?? null
}

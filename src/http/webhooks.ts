import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AnyChannelAdapter, AnyWire, RawRequest } from '../channels/channel.ts'
import type { Deps } from '../deps.ts'
import { type IngestOutcome, ingestWebhook } from '../domain/ingest-webhook.ts'
import { routeWebhook } from '../domain/route-webhook.ts'
import { createWebhookAccounts, type WebhookAccount, type WebhookAccounts } from '../domain/webhook-accounts.ts'
import { HttpError } from './errors.ts'
import { allowsMethod } from './json.ts'
import { createLargeBodies } from './large-bodies.ts'
import type { Metrics } from './metrics.ts'
import type { Handler } from './router.ts'

type WebhookDeps = Deps & { metrics: Metrics }

type OrganizationWire = Extract<AnyWire, { reach: 'organization' }>
type AppWire = Extract<AnyWire, { reach: 'app' }>
type Head = Omit<RawRequest, 'body'>

/** How many requests of the largest size are in memory at the same time. */
const LARGEST_AT_ONCE = 4

const NOTHING_HERE = 'There is nothing at this address.'
const BAD_SIGNATURE = 'The signature is missing or wrong.'

/**
 * POST /webhooks/:wire/:organizationSlug/:segment, or GET and POST /webhooks/:wire where one app serves all organizations. 404 without
 * detail where the organization or number is unknown, 403 where the signature is missing or wrong, 2xx when the request and what it says
 * are stored. 5xx only when we could not store: the provider repeats.
 */
export function createWebhookHandler(deps: WebhookDeps): Handler {
  const accounts = createWebhookAccounts(deps)
  const { MAX_BODY_BYTES, MAX_EMAIL_BYTES } = deps.config
  const bodies = createLargeBodies({ smallBytes: MAX_BODY_BYTES, totalBytes: LARGEST_AT_ONCE * Math.max(MAX_BODY_BYTES, MAX_EMAIL_BYTES) })
  return async (request, response, url) => {
    const [, , path = '', ...place] = url.pathname.split('/')
    const adapters = deps.channels.speaking(path)
    const wire = adapters[0]?.wire
    if (wire === undefined || wire === null || place.length !== (wire.reach === 'app' ? 0 : 2)) throw new HttpError(404, NOTHING_HERE)
    if (!allowsMethod(request, response, wire.reach === 'app' ? ['GET', 'POST'] : ['POST'])) return
    if (wire.reach === 'app' && request.method === 'GET') return shakeHands(wire, url, response)
    const count = (outcome: string) => deps.metrics.webhooks.inc({ provider: path, outcome })
    try {
      const head = headOf(deps, request, url)
      const [slug = '', segment = ''] = place
      if (wire.reach === 'organization') await admit(accounts, adapters, wire, slug, segment, head)
      const outcome = await bodies.during(request, Math.max(MAX_BODY_BYTES, wire.maxBodyBytes ?? 0), (body) =>
        wire.reach === 'app'
          ? forApp(deps, accounts, adapters, wire, { ...head, body })
          : forOrganization(deps, accounts, adapters, wire, slug, segment, { ...head, body }),
      )
      const { contentType, body } = wire.acknowledgement
      response.writeHead(200, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }).end(body)
      count(outcome)
    } catch (error) {
      count(error instanceof HttpError ? String(error.status) : 'error')
      throw error
    }
  }
}

function shakeHands(wire: AppWire, url: URL, response: ServerResponse): void {
  const answer = wire.handshake(url.searchParams)
  if (answer === null) throw new HttpError(403, 'The verify token is missing or wrong.')
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(answer)
}

async function forApp(
  deps: WebhookDeps,
  accounts: WebhookAccounts,
  adapters: readonly AnyChannelAdapter[],
  wire: AppWire,
  raw: RawRequest,
): Promise<IngestOutcome> {
  if (!wire.verify(raw)) throw new HttpError(403, BAD_SIGNATURE)
  const routing = await routeWebhook(accounts, 'everywhere', adapters, await wire.parse('', raw), null)
  return ingestWebhook(deps, { wire: wire.path, segment: '' }, raw, routing, null)
}

async function forOrganization(
  deps: WebhookDeps,
  accounts: WebhookAccounts,
  adapters: readonly AnyChannelAdapter[],
  wire: OrganizationWire,
  slug: string,
  segment: string,
  raw: RawRequest,
): Promise<IngestOutcome> {
  const verified = await accountThat(accounts, adapters, wire, slug, segment, raw, (credentials) => wire.verify(raw, credentials))
  const { organizationId } = verified.account
  const routing = await routeWebhook(accounts, { organizationId }, adapters, await wire.parse(segment, raw), verified)
  return ingestWebhook(deps, { wire: wire.path, segment }, raw, routing, organizationId)
}

/** Refuses before the body is read what its head alone shows to be nobody's. */
async function admit(
  accounts: WebhookAccounts,
  adapters: readonly AnyChannelAdapter[],
  wire: OrganizationWire,
  slug: string,
  segment: string,
  head: Head,
): Promise<void> {
  const { admits } = wire
  if (admits === undefined) return
  const bare = { ...head, body: Buffer.alloc(0) }
  await accountThat(accounts, adapters, wire, slug, segment, bare, (credentials) => admits(head, credentials))
}

/** The account whose credentials have signed. Those that are remembered may be yesterday's: a doubt is looked up. */
async function accountThat(
  accounts: WebhookAccounts,
  adapters: readonly AnyChannelAdapter[],
  wire: OrganizationWire,
  slug: string,
  segment: string,
  raw: RawRequest,
  proves: (credentials: unknown) => boolean,
): Promise<WebhookAccount> {
  const locator = wire.locate(segment, raw)
  if (locator === null) throw new HttpError(404, NOTHING_HERE)
  for (const fresh of [false, true]) {
    const found = await accounts.find({ slug }, adapters, locator, fresh)
    if (found.accounts.length === 0) throw new HttpError(404, NOTHING_HERE)
    const signer = found.accounts.find((account) => proves(account.credentials()))
    if (signer !== undefined) return signer
    if (!found.remembered) break
  }
  throw new HttpError(403, BAD_SIGNATURE)
}

/** The URL is the public one, which the provider signed; it is never guessed from headers. */
function headOf(deps: WebhookDeps, request: IncomingMessage, url: URL): Head {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return { method: 'POST', url: `${deps.config.PUBLIC_URL}${url.pathname}${url.search}`, headers }
}

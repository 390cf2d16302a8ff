import type { z } from 'zod'
import type { ChannelType, DeliveryStatus, IdentityKind, Provider } from '../db/generated/enums.ts'

/** A provider's HTTP request as it came: `url` is the public one that the provider called (and signed), query included. */
export type RawRequest = {
  method: string
  url: string
  /** Lower-case names; a repeated header is joined as Node does. */
  headers: Readonly<Record<string, string>>
  body: Buffer
}

/** What a channel can do. The same value gates sending and answers `capabilities` and `sendability`. */
export type Capabilities = {
  textLimit: number
  textLimitUnit: 'CHARACTERS' | 'BYTES'
  /** Hours after the customer's last message in which free text is allowed; null: always. */
  messagingWindowHours: number | null
  /** Outside the window, only templates that the provider has approved go through. */
  templatesNeedApproval: boolean
  content: readonly ('TEXT' | 'TEMPLATE')[]
  inbound: boolean
  deliveryReceipts: boolean
  readReceipts: boolean
}

/**
 * One name of a customer. `scope` separates ids that mean something only inside one page or account; "" elsewhere.
 * `verified`: a provider has vouched for it, nobody merely typed it in.
 */
export type Identity = { kind: IdentityKind; scope: string; value: string; verified: boolean }

export type ProviderError = { code: string; message: string }

export type MessageFact = {
  kind: 'message'
  externalMessageId: string
  /** How the channel addresses the sender: what an answer is sent to. */
  address: string
  /** First the identity that stands for `address`, then any other the payload proves. */
  identities: Identity[]
  profileName: string | null
  body: string
  subject?: string
  attachments: { url: string; contentType: string | null; filename?: string }[]
  /** Whatever the channel says beyond text: location, button, referral. JSON-serializable. */
  payload: Record<string, unknown> | null
  /** Set where the message is an opt-out or opt-in, by keyword or by the provider's own word. */
  consent: 'OPT_OUT' | 'OPT_IN' | null
  /** Hours of messaging window that this message opens, where it differs from the capability. */
  windowHours?: number
}

export type ReceiptFact = {
  kind: 'receipt'
  externalMessageId: string
  /** Our own id, where the provider carried it. */
  communicationId: string | null
  status: DeliveryStatus
  error: ProviderError | null
}

/** Something that is kept but not understood (yet). */
export type UnknownFact = { kind: 'unknown'; reason: string }

export type Fact = MessageFact | ReceiptFact | UnknownFact

export type Outgoing = {
  communicationId: string
  channel: ChannelType
  /** The account's own address. */
  from: string
  to: string
  body: string
  subject: string | null
  /** A template that the provider has approved, by the provider's id. */
  template: { id: string; variables: Record<string, string> } | null
  /** Public URLs of media. */
  mediaUrls: string[]
  /** Where receipts are to be posted; carries the communication's id. */
  statusCallbackUrl: string
}

export type SendResult = {
  externalMessageId: string
  /** Receipts the provider is known to give later although it calls no webhook (the sandbox). Durable: they become jobs. */
  laterReceipts?: { status: DeliveryStatus; afterMs: number; error?: ProviderError }[]
}

export type HealthCheck = { name: string; ok: boolean; message: string | null }

/** Which account a webhook means, before anything in it is believed. Any one of `addresses` may be the account's. */
export type Locator = {
  channel: ChannelType | null
  addresses: string[]
  /** Our id, where the URL carries it. */
  communicationId: string | null
}

/**
 * A provider's webhook format, shared by the channels that speak it. Everything but `verify` sees unverified input.
 * `path`: the segment after `/webhooks/`. `last segments` are the wire's own business.
 */
export type Wire<Credentials> = {
  path: string
  /** The last path segment where messages of `channel` arrive, e.g. `sms`. */
  inboundSegment(channel: ChannelType): string
  /** null: not an address of this wire (404). `segment` is what follows the organization's slug. */
  locate(segment: string, request: RawRequest): Locator | null
  /** Over the raw bytes, in constant time. */
  verify(request: RawRequest, credentials: Credentials): boolean
  /** Providers batch: zero or more facts. What is not understood is a fact of its own kind, never dropped. */
  parse(segment: string, request: RawRequest): Fact[]
  /** The body of the 2xx that the provider expects. */
  acknowledgement: { contentType: string; body: string }
}

/** One channel of one provider. Pure but for `send` and `check`. */
export interface ChannelAdapter<Credentials> {
  readonly provider: Provider
  readonly channel: ChannelType
  /** True where nothing leaves the machine. */
  readonly sandbox: boolean
  readonly capabilities: Capabilities
  readonly credentials: z.ZodType<Credentials>
  readonly wire: Wire<Credentials>
  /** The one spelling that is stored, or null where this is no address of the channel. */
  normalize(address: string): string | null
  /** What a normalized customer address says about who it is. */
  identify(address: string): Identity
  /** Other names under which webhooks mean this account. */
  routingKeys(credentials: Credentials): string[]
  /** Throws Rejected (final), Unavailable (try again) or Uncertain (may have been sent: never blindly again). */
  send(message: Outgoing, credentials: Credentials): Promise<SendResult>
  check(account: { address: string; webhookUrl: string }, credentials: Credentials): Promise<HealthCheck[]>
  /** Fetches media that a webhook pointed at; refuses a host that is not the provider's (Rejected). `maxBytes` bounds the answer. */
  fetchMedia(url: string, credentials: Credentials, maxBytes: number): Promise<{ body: Buffer; contentType: string | null }>
}

// The registry holds adapters of many credential types; each is used only with the credentials its own schema parsed.
// biome-ignore lint/suspicious/noExplicitAny: existential type
export type AnyChannelAdapter = ChannelAdapter<any>

export type ChannelRegistry = {
  all: readonly AnyChannelAdapter[]
  find(provider: Provider, channel: ChannelType): AnyChannelAdapter | undefined
  /** Throws an Error that names both, where this provider does not offer this channel. */
  get(provider: Provider, channel: ChannelType): AnyChannelAdapter
  /** The adapters whose webhooks arrive under `/webhooks/<path>`; empty where no wire has this path. */
  speaking(path: string): readonly AnyChannelAdapter[]
}

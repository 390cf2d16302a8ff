import type { z } from 'zod'
import type { ChannelType, DeliveryStatus, Provider, TemplateStatus } from '../db/generated/enums.ts'
import type { Content, MediaKind } from './content.ts'
import type { Fact, Identity, Mailbox, ProviderError } from './fact.ts'

/** A provider's HTTP request as it came: `url` is the public one that the provider called (and signed), query included. */
export type RawRequest = {
  method: string
  url: string
  /** Lower-case names; a repeated header is joined as Node does. */
  headers: Readonly<Record<string, string>>
  body: Buffer
}

/** EMAIL: what goes out is an e-mail, whatever it was written as: it has a subject, and may have HTML. */
export type SendableContent = 'TEXT' | 'EMAIL' | 'TEMPLATE' | 'MEDIA' | 'INTERACTIVE' | 'REACTION'

/** What a channel can do. The same value gates sending and answers `capabilities` and `sendability`. */
export type Capabilities = {
  textLimit: number
  textLimitUnit: 'CHARACTERS' | 'BYTES'
  /** Hours after the customer's last message in which free text is allowed; null: always. */
  messagingWindowHours: number | null
  /** Hours after the customer's last message in which a person on the staff may still answer; null: as `messagingWindowHours`. */
  humanAgentHours: number | null
  /** Whether anything at all can be sent outside the window, or to a customer who never wrote. */
  businessInitiated: boolean
  /** Outside the window, only templates that the provider has approved go through. */
  templatesNeedApproval: boolean
  content: readonly SendableContent[]
  /**
   * The kinds of media that can be sent, each with its largest size in bytes; `types`: the media types allowed, empty: any; `captions`:
   * false where a file of this kind goes without a caption.
   */
  media: Partial<Record<MediaKind, { maxBytes: number; types: readonly string[]; captions?: false }>>
  maxAttachments: number
  /** The largest message with all that is in it, in bytes; `base64`: files go as that, and count four thirds. Absent: each file's limit is all. */
  maxMessage?: { bytes: number; base64: boolean }
  /** Of a caption under media, in the unit of `textLimit`; absent: as `textLimit`; 0: media goes without one. */
  captionLimit?: number
  /** Limits of reply buttons and lists; null where there are none. Lengths in characters. */
  interactive: { maxButtons: number; maxRows: number; maxTitle: number; maxRowTitle: number; maxBody: number } | null
  /** A message can quote the one that it answers. */
  quotedReplies: boolean
  /** The provider keeps a list of its own of who wrote STOP, and refuses messages to them until they write START. Absent: it does not. */
  keepsOptOuts?: boolean
  /** How many messages a second an account may be given, unless the account says otherwise; null: as many as we can. */
  messagesPerSecond: number | null
  inbound: boolean
  deliveryReceipts: boolean
  readReceipts: boolean
}

export type OutgoingFile = {
  filename: string | null
  contentType: string
  /** Bytes. */
  size: number
  media: MediaKind
  /** Where the provider may fetch it, without a token, for at least an hour. */
  url: string
  read(): Promise<Buffer>
}

/** What an e-mail has beyond subject and body. */
export type OutgoingEmail = {
  fromName: string | null
  html: string | null
  /** Ours; without angle brackets, as the next. */
  messageId: string
  references: string[]
  /** Carries a signed token, so that an answer is recognized. */
  replyTo: Mailbox
  /** A marketing message, which has to say how to unsubscribe. */
  marketing: boolean
}

export type OutgoingTemplate = {
  /** The provider's id of it. */
  id: string
  name: string
  /** As the provider spells it. */
  language: string
  variables: Record<string, string>
  /** As the provider described it when it was synchronized; null: never. */
  components: unknown
}

export type Outgoing = {
  communicationId: string
  channel: ChannelType
  /** The account's own address. */
  from: string
  to: string
  body: string
  subject: string | null
  content: Content
  /** A template that the provider has approved. */
  template: OutgoingTemplate | null
  files: OutgoingFile[]
  /** The external id of the message that this one answers (or reacts to: see `content`). */
  inReplyTo: string | null
  email: OutgoingEmail | null
  /** Outside the window, by a person: needs the channel's own tag. */
  humanAgent: boolean
  /** Where receipts are to be posted; carries the communication's id. */
  statusCallbackUrl: string
}

export type SendResult = {
  externalMessageId: string
  /** Receipts the provider is known to give later although it calls no webhook (the sandbox). Durable: they become jobs. */
  laterReceipts?: { status: DeliveryStatus; afterMs: number; error?: ProviderError }[]
}

/**
 * `message`: for a business owner, with what to do. `required`: without it the account cannot be used. `unanswered`: the provider could not
 * be asked, so that nothing is known: an account that was active stays so.
 */
export type HealthCheck = { name: string; ok: boolean; message: string | null; required?: boolean; unanswered?: boolean }

/** Which account a webhook, or a part of it, means. Any one of `addresses` may be the account's, or one of its routing keys. */
export type Locator = {
  channel: ChannelType | null
  /** null: any account of the wire's (in the organization that the address names). */
  addresses: string[] | null
  /** Our id, where the webhook carries it. */
  communicationId: string | null
}

/** Facts about one account. `to` null: about the one whose credentials verified the request. */
export type Part = {
  to: Locator | null
  facts: Fact[]
  /** A request body with this part alone, where one request may be about several organizations. */
  excerpt?: () => Buffer
}

type WireBase = {
  path: string
  /** The last path segment where messages of `channel` arrive, e.g. `sms`; "": the address ends before. */
  inboundSegment(channel: ChannelType): string
  /** Providers batch: zero or more facts. What is not understood is a fact of its own kind, never dropped. Sees hostile input: never throws. */
  parse(segment: string, request: RawRequest): Part[] | Promise<Part[]>
  /** The body of the 2xx that the provider expects. */
  acknowledgement: { contentType: string; body: string }
  /** Where it is more than MAX_BODY_BYTES. */
  maxBodyBytes?: number
}

/**
 * A provider's webhook format, shared by the channels that speak it. Everything but `verify` sees unverified input.
 * `path`: the segment after `/webhooks/`.
 *
 * Reach `organization`: `/webhooks/<path>/<slug>/<segment>`, signed with an account's own credentials.
 * Reach `app`: `/webhooks/<path>`, one address and one secret for all organizations.
 */
export type Wire<Credentials> = WireBase &
  (
    | {
        reach: 'organization'
        /** Whose credentials may have signed it. null: not an address of this wire (404). `segment` is what follows the organization's slug. */
        locate(segment: string, request: RawRequest): Locator | null
        /** Over the raw bytes, in constant time. */
        verify(request: RawRequest, credentials: Credentials): boolean
        /**
         * Asked before the body is read, where bodies can be large: false where `verify` will refuse whatever it holds. Then `locate` looks at
         * no body either. Absent: `verify` needs the body.
         */
        admits?(head: Omit<RawRequest, 'body'>, credentials: Credentials): boolean
        /**
         * What follows the `?` of the address where messages arrive, because the provider signs nothing there, e.g. `key=…`: a secret, to be
         * shown to ADMINs only and never logged. Absent: nothing.
         */
        inboundQuery?(credentials: Credentials): string
        /** The last path segment where receipts arrive, where that address has to be entered at the provider too. Absent: sends tell it. */
        eventsSegment?: string
        /** The last path segment where the provider tells how calls on a number of `channel` went; null, or absent: it tells of none. */
        callsSegment?(channel: ChannelType): string | null
      }
    | {
        reach: 'app'
        /** Over the raw bytes, in constant time. */
        verify(request: RawRequest): boolean
        /** The body that answers the provider's GET, or null where it is not the provider's. */
        handshake(query: URLSearchParams): string | null
        /** What to type in at the provider so that `handshake` succeeds; null: not set. */
        verifyToken: string | null
      }
  )

/** A template as the provider has it. `body` holds our variables, `{{name}}`, in place of the provider's. */
export type ProviderTemplate = {
  providerTemplateId: string
  name: string
  language: string
  status: TemplateStatus
  statusReason: string | null
  category: string | null
  quality: string | null
  body: string
  components: unknown
}

/** `message`: a sentence for whoever filled the template in. */
export type TemplateFault = { variable: string | null; message: string }

/** One channel of one provider. Pure but for the functions that give promises. */
export interface ChannelAdapter<Credentials> {
  readonly provider: Provider
  readonly channel: ChannelType
  /** True where nothing leaves the machine. */
  readonly sandbox: boolean
  readonly capabilities: Capabilities
  readonly credentials: z.ZodType<Credentials>
  /** null: the channel has no webhooks, because it is our own. */
  readonly wire: Wire<Credentials> | null
  /** What `normalize` takes, for people: the rest of a sentence that begins with “it must be”. */
  readonly addressForm: string
  /** The one spelling that is stored, or null where this is no address of the channel. */
  normalize(address: string): string | null
  /** What a normalized customer address says about who it is; `accountAddress` is the scope of ids that mean nothing elsewhere. */
  identify(address: string, accountAddress: string): Identity
  /**
   * Other names under which webhooks mean this account. Where the wire's reach is `app`, the first is this account's alone (a phone number
   * id, a page id); further ones may be shared by several accounts.
   */
  routingKeys(credentials: Credentials): string[]
  /** Throws Rejected (final), Unavailable (try again) or Uncertain (may have been sent: never blindly again). */
  send(message: Outgoing, credentials: Credentials): Promise<SendResult>
  check(account: { address: string; webhookUrl: string }, credentials: Credentials): Promise<HealthCheck[]>
  /** Fetches media that a webhook pointed at; refuses a host that is not the provider's (Rejected). `maxBytes` bounds the answer. */
  fetchMedia(url: string, credentials: Credentials, maxBytes: number): Promise<{ body: Buffer; contentType: string | null }>
  /**
   * Why the provider would refuse its template with these values; `variable`: the one that is wrong, null: the template itself. Gives null
   * where it would not; absent: any values will do.
   */
  templateFault?(template: OutgoingTemplate): TemplateFault | null
  /** All templates that the provider has for this account; absent where it has none. Throws Rejected or Unavailable. */
  listTemplates?(account: { address: string }, credentials: Credentials): Promise<ProviderTemplate[]>
  /** Tells the provider, and so the customer, that a message was read; absent where it does not care. Throws Rejected or Unavailable. */
  markRead?(externalMessageId: string, credentials: Credentials): Promise<void>
}

// The registry holds adapters of many credential types; each is used only with the credentials its own schema parsed.
// biome-ignore lint/suspicious/noExplicitAny: existential type
export type AnyChannelAdapter = ChannelAdapter<any>

export type AnyWire = NonNullable<AnyChannelAdapter['wire']>

export type ChannelRegistry = {
  all: readonly AnyChannelAdapter[]
  find(provider: Provider, channel: ChannelType): AnyChannelAdapter | undefined
  /** Throws an Error that names both, where this provider does not offer this channel. */
  get(provider: Provider, channel: ChannelType): AnyChannelAdapter
  /** The adapters whose webhooks arrive under `/webhooks/<path>`; empty where no wire has this path. */
  speaking(path: string): readonly AnyChannelAdapter[]
}

import type {
  CallOutcome,
  ChannelType,
  DeliveryStatus,
  IdentityKind,
  MessagePurpose,
  TemplateStatus,
  WindowReason,
} from '../db/generated/enums.ts'
import type { Content } from './content.ts'

/**
 * One name of a customer. `scope` separates ids that mean something only inside one page or account; "" elsewhere.
 * `verified`: a provider has vouched for it, nobody merely typed it in.
 */
export type Identity = { kind: IdentityKind; scope: string; value: string; verified: boolean }

export type ProviderError = { code: string; message: string }

/** A file of a message: at the provider (`url`), or in the request itself (`bytes`). */
export type MediaReference = {
  url: string | null
  bytes?: Buffer
  contentType: string | null
  filename?: string
  /** Of an e-mail's inline picture: what `cid:` in the HTML names, without angle brackets. */
  contentId?: string
}

export type Mailbox = { name: string | null; address: string }

/** What an e-mail has beyond body and subject. Message ids are without their angle brackets. */
export type EmailDetails = {
  messageId: string | null
  /** In-Reply-To and References, oldest first, without doubles. */
  references: string[]
  from: Mailbox
  to: Mailbox[]
  cc: Mailbox[]
  /** The addresses it was really delivered to (the envelope's); one may carry our reply token. Absent: not known. */
  deliveredTo?: string[]
  /** Sanitized already. */
  html: string | null
  quotedText: string | null
}

/** The customer's word on being written to, as part of a message. */
export type ConsentWord = { state: 'OPTED_OUT' | 'OPTED_IN'; source: 'KEYWORD' | 'PROVIDER' }

export type MessageFact = {
  kind: 'message'
  externalMessageId: string
  /** OUTBOUND: written by the business itself with the provider's own app (an echo). Absent: INBOUND. */
  direction?: 'INBOUND' | 'OUTBOUND'
  /** How the channel addresses the customer: what an answer is sent to. */
  address: string
  /** The customer's: first the identity that stands for `address`, then any other the payload proves. */
  identities: Identity[]
  profileName: string | null
  /** The plain-text form; see `plainText` for content without a text. */
  body: string
  subject?: string
  content: Content
  attachments: MediaReference[]
  email?: EmailDetails
  /** What the channel says beyond all this: referral, forwarded mark. JSON-serializable. */
  payload: Record<string, unknown> | null
  /** The external id of the message that this one answers or reacts to. */
  inReplyTo?: string | null
  consent: ConsentWord | null
  /** The messaging window that this message opens, where it differs from the capability. */
  window?: { hours: number; reason: WindowReason }
  /** By the provider's clock. */
  sentAt?: Date
}

export type ReceiptFact = {
  kind: 'receipt'
  externalMessageId: string
  /** Our own id, where the provider carried it. */
  communicationId: string | null
  status: DeliveryStatus
  error: ProviderError | null
  /** The channel that really carried the message, where the provider fell back to another. */
  carriedBy?: ChannelType | null
  /** It came back after all: FAILED, whatever was said before and will be said. */
  final?: boolean
  /** The provider's id of this very receipt, where it is known to repeat them. */
  eventId?: string
}

/** Everything sent to `address` up to `until` was delivered or read. */
export type WatermarkFact = { kind: 'watermark'; address: string; status: 'DELIVERED' | 'READ'; until: Date }

/** The customer has changed a message; `externalMessageId` is that of the message changed. `revision` names this very edit. */
export type EditFact = { kind: 'edit'; externalMessageId: string; revision: string; body: string; content: Content; at: Date }

/** The sender has taken a message back. */
export type RevokeFact = { kind: 'revoke'; externalMessageId: string; at: Date }

/** A change of consent that is no message. The customer is found by `identity`; nobody is made for it. */
export type ConsentFact = {
  kind: 'consent'
  identity: Identity
  purposes: MessagePurpose[]
  state: 'OPTED_IN' | 'OPTED_OUT'
  source: 'PROVIDER' | 'UNSUBSCRIBE' | 'SPAM_REPORT' | 'BOUNCE'
  /** What shows it, for people. */
  evidence: string
  at: Date
}

/** The customer known as `from` is from now on also known as each of `to`; answers go to `address`. `note` says so to staff. */
export type IdentityChangeFact = { kind: 'identity-change'; from: Identity; to: Identity[]; address: string; note: string; at: Date }

/**
 * What a provider says of one call in several webhooks, in its own words: how the call ended, and how it went for whoever it was forwarded
 * to, which counts more. A webhook tells one of the two.
 */
export type CallWords = { callStatus?: string; dialCallStatus?: string }

/** A call that has ended: it becomes a CALL_LOG. */
export type CallFact = {
  kind: 'call'
  externalMessageId: string
  direction: 'INBOUND' | 'OUTBOUND'
  /** null: the caller cannot be answered, and the call is in no conversation. */
  address: string | null
  identities: Identity[]
  profileName: string | null
  outcome: CallOutcome
  /** null: not told. With `words`, the call has then ended when the webhook came. */
  startedAt: Date | null
  seconds: number | null
  /**
   * Our number, where the webhook names it: the call is in the conversation on the account that has it, rather on `channel` than on
   * another, and in none where no account has it. Absent: it is on the account that the webhook is for.
   */
  line?: { channel: ChannelType; address: string }
  /** Absent: one webhook says all. */
  words?: CallWords
}

/** The provider's word on one of its templates. */
export type TemplateFact = {
  kind: 'template'
  providerTemplateId: string
  name: string
  /** As the provider spells it, e.g. en_US. */
  language: string
  /** null: unchanged. */
  status: TemplateStatus | null
  reason: string | null
  quality: string | null
  /** Its text or category is another now, and has to be fetched. */
  outdated?: true
}

/** Something about the account itself that its owner should know. It becomes a health check of this name. */
export type AccountNoticeFact = { kind: 'account-notice'; name: string; ok: boolean; message: string }

/** Something that is kept but not understood (yet), or that needs nothing done. */
export type UnknownFact = { kind: 'unknown'; reason: string }

export type Fact =
  | MessageFact
  | ReceiptFact
  | WatermarkFact
  | EditFact
  | RevokeFact
  | ConsentFact
  | IdentityChangeFact
  | CallFact
  | TemplateFact
  | AccountNoticeFact
  | UnknownFact

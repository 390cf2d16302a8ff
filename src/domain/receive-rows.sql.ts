/** What is known of an arriving message before its customer is, with the types of PostgreSQL. Of the webhook that brought it: from `receipt_id` on. */
export const ARRIVING = {
  organization_id: 'uuid',
  account_id: 'uuid',
  channel: 'text',
  inbound: 'boolean',
  external_id: 'text',
  at: 'timestamptz',
  sent_at: 'timestamptz',
  new_customer_id: 'uuid',
  name: 'text',
  new_conversation_id: 'uuid',
  address: 'text',
  window_expires_at: 'timestamptz',
  window_reason: '"WindowReason"',
  communication_id: 'uuid',
  subject: 'text',
  body: 'text',
  content: 'jsonb',
  payload: 'jsonb',
  in_reply_to: 'text',
  identity_id: 'uuid',
  kind: '"IdentityKind"',
  scope: 'text',
  value: 'text',
  verified: 'boolean',
  receipt_id: 'uuid',
  receipt_account_id: 'uuid',
  wire: 'text',
  segment: 'text',
  url: 'text',
  headers: 'jsonb',
  storage_key: 'text',
  size: 'int',
} as const

/** How a statement says one of them: a column, or a parameter. */
export type Value = (name: keyof typeof ARRIVING) => string

/** A message goes on only where it has not been received before; `from` ends with a condition. */
export const insertGate = (v: Value, from: string): string => `
  INSERT INTO received_message (channel_account_id, external_message_id, organization_id, received_at)
  SELECT ${v('account_id')}, ${v('external_id')}, ${v('organization_id')}, ${v('at')} ${from}
    AND NOT EXISTS (SELECT FROM communication c WHERE c.channel_account_id = ${v('account_id')} AND c.external_message_id = ${v('external_id')})
  ORDER BY 1, 2
  ON CONFLICT (channel_account_id, external_message_id) DO NOTHING
  RETURNING channel_account_id, external_message_id`

/** `body`: the bytes of the webhook. */
export const insertReceipt = (v: Value, body: string, from: string): string => `
  INSERT INTO webhook_receipt (id, organization_id, channel_account_id, wire, segment, url, headers, body, storage_key, size, status)
  SELECT ${v('receipt_id')}, ${v('organization_id')}, ${v('receipt_account_id')}, ${v('wire')}, ${v('segment')}, ${v('url')}, ${v('headers')},
    CASE WHEN ${v('storage_key')} IS NULL THEN ${body} END, ${v('storage_key')}, ${v('size')}, 'APPLIED'
  ${from} AND ${v('receipt_id')} IS NOT NULL
  ON CONFLICT (id) DO NOTHING
  RETURNING id`

/** LIMIT keeps PostgreSQL from reading all identities where it takes the few that are asked for to be many. */
export const identityOf = (v: (name: 'organization_id' | 'kind' | 'scope' | 'value') => string): string => `
    SELECT * FROM customer_identity c
    WHERE c.organization_id = ${v('organization_id')} AND c.kind = ${v('kind')} AND c.scope = ${v('scope')} AND c.value = ${v('value')}
    LIMIT 1`

/** `known`: the customer that an identity says it is; null: none does. */
export const insertIdentity = (v: Value, known: string, from: string): string => `
  INSERT INTO customer_identity (id, organization_id, customer_id, kind, scope, value, verified)
  SELECT ${v('identity_id')}, ${v('organization_id')}, coalesce(${known}, ${v('new_customer_id')}), ${v('kind')}, ${v('scope')}, ${v('value')},
    ${v('verified')}
  ${from}
  ON CONFLICT (organization_id, kind, scope, value) DO UPDATE SET verified = customer_identity.verified OR excluded.verified
  RETURNING customer_id, organization_id, kind, scope, value`

/** Who was merged since the snapshot takes nothing: null is refused, and the statement runs again (see store-received.ts). */
export const upsertCustomer = (v: Value, customer: string, from: string): string => `
  INSERT INTO customer (id, organization_id, name, unread_count, created_at)
  SELECT ${customer}, ${v('organization_id')}, ${v('name')}, ${v('inbound')}::int, ${v('at')} ${from}
  ON CONFLICT (id) DO UPDATE SET name = coalesce(customer.name, excluded.name),
    unread_count = CASE WHEN customer.merged_into_id IS NULL THEN customer.unread_count + excluded.unread_count END
  RETURNING id, unread_count`

export const upsertConversation = (v: Value, customer: string, from: string): string => `
  INSERT INTO conversation (id, organization_id, customer_id, channel_account_id, channel, address, status, status_changed_at, unread_count,
    inbound_count, outbound_count, window_expires_at, window_reason, last_inbound_at, last_communication_id, last_activity_at, created_at)
  SELECT ${v('new_conversation_id')}, ${v('organization_id')}, ${customer}, ${v('account_id')}, ${v('channel')}::"ChannelType", ${v('address')}, 'OPEN',
    ${v('at')}, ${v('inbound')}::int, ${v('inbound')}::int, (NOT ${v('inbound')})::int, ${v('window_expires_at')},
    CASE WHEN ${v('window_expires_at')} IS NOT NULL THEN ${v('window_reason')} END, CASE WHEN ${v('inbound')} THEN ${v('at')} END,
    ${v('communication_id')}, ${v('at')}, ${v('at')}
  ${from}
  ON CONFLICT (customer_id, channel_account_id) DO UPDATE SET
    unread_count = conversation.unread_count + excluded.unread_count,
    inbound_count = conversation.inbound_count + excluded.inbound_count,
    outbound_count = conversation.outbound_count + excluded.outbound_count,
    status = CASE WHEN excluded.inbound_count > 0 THEN 'OPEN' ELSE conversation.status END,
    -- A message that finds it open is told from the one that opened it, also in the same millisecond.
    status_changed_at = CASE WHEN conversation.status <> 'OPEN' AND excluded.inbound_count > 0 THEN excluded.status_changed_at
      WHEN conversation.status_changed_at = excluded.status_changed_at THEN conversation.status_changed_at - interval '1 ms'
      ELSE conversation.status_changed_at END,
    snoozed_until = CASE WHEN excluded.inbound_count > 0 THEN NULL ELSE conversation.snoozed_until END,
    address = excluded.address,
    window_reason = CASE WHEN excluded.window_expires_at >= coalesce(conversation.window_expires_at, '-infinity')
      THEN excluded.window_reason ELSE conversation.window_reason END,
    window_expires_at = greatest(conversation.window_expires_at, excluded.window_expires_at),
    last_inbound_at = greatest(conversation.last_inbound_at, excluded.last_inbound_at),
    last_communication_id = greatest(conversation.last_communication_id, excluded.last_communication_id),
    last_activity_at = greatest(conversation.last_activity_at, excluded.last_activity_at)
  RETURNING id, customer_id, unread_count, status_changed_at`

/** Of a message that has its customer and its conversation, both as columns. */
export const insertCommunication = (v: Value, inReplyTo: string, from: string): string => `
  INSERT INTO communication (id, organization_id, customer_id, conversation_id, channel_account_id, type, direction, subject, body, content,
    payload, in_reply_to, is_read, delivery_status, external_message_id, sent_at, created_at)
  SELECT ${v('communication_id')}, ${v('organization_id')}, customer_id, conversation_id, ${v('account_id')}, ${v('channel')}::"CommunicationType",
    CASE WHEN ${v('inbound')} THEN 'INBOUND' ELSE 'OUTBOUND' END::"Direction", ${v('subject')}, ${v('body')}, ${v('content')}, ${v('payload')},
    ${inReplyTo}, NOT ${v('inbound')}, CASE WHEN ${v('inbound')} THEN NULL ELSE 'SENT'::"DeliveryStatus" END, ${v('external_id')},
    CASE WHEN ${v('inbound')} THEN NULL ELSE coalesce(${v('sent_at')}, ${v('at')}) END, ${v('at')}
  ${from}
  RETURNING id`

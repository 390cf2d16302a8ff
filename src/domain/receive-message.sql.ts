/** Named parameters, in the order of their numbers: `:name` in the text below. */
const parameters = [
  'webhookId',
  'organizationId',
  'accountId',
  'externalMessageId',
  'url',
  'headers',
  'rawBody',
  'now',
  'kinds',
  'scopes',
  'identityValues',
  'verified',
  'identityIds',
  'newCustomerId',
  'name',
  'newConversationId',
  'channel',
  'address',
  'windowExpiresAt',
  'communicationId',
  'subject',
  'body',
  'payload',
  'attachmentIds',
  'attachmentUrls',
  'attachmentTypes',
  'attachmentNames',
  'consent',
  'optOutId',
] as const

// Concurrency: a data-modifying CTE sees the snapshot of the statement's start, so a row that a concurrent transaction has just
// committed can be updated only by INSERT … ON CONFLICT DO UPDATE. That is why customers and conversations are upserted, and why
// nothing is looked up that decides between insert and update. Locks follow the data: identity, customer, conversation, organization.
const template = `
WITH raw AS (
  INSERT INTO webhook (id, organization_id, channel_account_id, dedupe_key, url, headers, body, status, received_at)
  SELECT :webhookId::uuid, :organizationId::uuid, :accountId::uuid, 'message:' || :externalMessageId::text, :url::text, :headers::jsonb,
    :rawBody::bytea, 'APPLIED', :now::timestamptz
  WHERE NOT EXISTS (
    SELECT FROM communication WHERE channel_account_id = :accountId::uuid AND external_message_id = :externalMessageId::text
  )
  ON CONFLICT (channel_account_id, dedupe_key) DO NOTHING
  RETURNING id
), given AS (
  SELECT * FROM unnest(:kinds::"IdentityKind"[], :scopes::text[], :identityValues::text[], :verified::boolean[], :identityIds::uuid[])
    WITH ORDINALITY AS g(kind, scope, value, verified, id, ord)
), known AS (
  SELECT i.customer_id, g.ord, i.verified >= g.verified AS settled FROM given g
  JOIN customer_identity i ON i.organization_id = :organizationId::uuid AND i.kind = g.kind AND i.scope = g.scope AND i.value = g.value
  ORDER BY g.ord LIMIT 1
), first_identity AS (
  INSERT INTO customer_identity (id, organization_id, customer_id, kind, scope, value, verified)
  SELECT g.id, :organizationId::uuid, coalesce((SELECT customer_id FROM known), :newCustomerId::uuid), g.kind, g.scope, g.value, g.verified
  FROM given g, raw
  WHERE g.ord = 1 AND NOT EXISTS (SELECT FROM known WHERE ord = 1 AND settled)
  ON CONFLICT (organization_id, kind, scope, value) DO UPDATE SET verified = customer_identity.verified OR excluded.verified
  RETURNING customer_id
), sender AS (
  SELECT customer_id FROM first_identity
  UNION ALL
  SELECT known.customer_id FROM known, raw WHERE known.ord = 1 AND known.settled
), other_identities AS (
  INSERT INTO customer_identity (id, organization_id, customer_id, kind, scope, value, verified)
  SELECT g.id, :organizationId::uuid, sender.customer_id, g.kind, g.scope, g.value, g.verified FROM given g, sender WHERE g.ord > 1
  ON CONFLICT (organization_id, kind, scope, value) DO UPDATE SET verified = true
    WHERE customer_identity.customer_id = excluded.customer_id AND excluded.verified AND NOT customer_identity.verified
), person AS (
  INSERT INTO customer (id, organization_id, name, unread_count, created_at)
  SELECT sender.customer_id, :organizationId::uuid, :name::text, 1, :now::timestamptz FROM sender
  ON CONFLICT (id) DO UPDATE SET unread_count = customer.unread_count + 1, name = coalesce(customer.name, excluded.name)
  RETURNING id, unread_count
), thread AS (
  INSERT INTO conversation (id, organization_id, customer_id, channel_account_id, channel, address, status, status_changed_at, unread_count,
    window_expires_at, last_communication_id, last_activity_at, created_at)
  SELECT :newConversationId::uuid, :organizationId::uuid, person.id, :accountId::uuid, :channel::"ChannelType", :address::text, 'OPEN',
    :now::timestamptz, 1, :windowExpiresAt::timestamptz, :communicationId::uuid, :now::timestamptz, :now::timestamptz
  FROM person
  ON CONFLICT (customer_id, channel_account_id) DO UPDATE SET
    unread_count = conversation.unread_count + 1,
    status = 'OPEN',
    status_changed_at = CASE WHEN conversation.status = 'OPEN' THEN conversation.status_changed_at ELSE excluded.status_changed_at END,
    snoozed_until = NULL,
    address = excluded.address,
    window_expires_at = greatest(conversation.window_expires_at, excluded.window_expires_at),
    last_communication_id = greatest(conversation.last_communication_id, excluded.last_communication_id),
    last_activity_at = greatest(conversation.last_activity_at, excluded.last_activity_at)
  RETURNING id, unread_count, status_changed_at
), message AS (
  INSERT INTO communication (id, organization_id, customer_id, conversation_id, channel_account_id, type, direction, subject, body, payload,
    is_read, external_message_id, created_at)
  SELECT :communicationId::uuid, :organizationId::uuid, person.id, thread.id, :accountId::uuid, :channel::text::"CommunicationType", 'INBOUND',
    :subject::text, :body::text, :payload::jsonb, false, :externalMessageId::text, :now::timestamptz
  FROM person, thread
  RETURNING id
), files AS (
  INSERT INTO attachment (id, organization_id, communication_id, source_url, content_type, filename, created_at)
  SELECT f.id, :organizationId::uuid, message.id, f.url, f.content_type, f.filename, :now::timestamptz
  FROM message, unnest(:attachmentIds::uuid[], :attachmentUrls::text[], :attachmentTypes::text[], :attachmentNames::text[])
    AS f(id, url, content_type, filename)
  RETURNING id
), jobs AS (
  SELECT graphile_worker.add_job('fetch-attachment', json_build_object('attachmentId', files.id)) FROM files
), opted_out AS (
  INSERT INTO opt_out (id, organization_id, customer_id, channel, created_at)
  SELECT :optOutId::uuid, :organizationId::uuid, person.id, :channel::"ChannelType", :now::timestamptz
  FROM person WHERE :consent::text = 'OPT_OUT'
  ON CONFLICT (customer_id, channel) DO NOTHING
  RETURNING id
), opted_in AS (
  DELETE FROM opt_out USING person
  WHERE :consent::text = 'OPT_IN' AND opt_out.customer_id = person.id AND opt_out.channel = :channel::"ChannelType"
  RETURNING opt_out.id
), entry AS (
  SELECT row_number() OVER (ORDER BY ord) AS n, type, data FROM (
    SELECT 1 AS ord, 'CUSTOMER_CREATED' AS type, '{}'::jsonb AS data FROM person WHERE id = :newCustomerId::uuid
    UNION ALL
    SELECT 2, 'CONVERSATION_CHANGED', jsonb_build_object('status', 'OPEN', 'created', id = :newConversationId::uuid)
    FROM thread WHERE status_changed_at = :now::timestamptz
    UNION ALL
    SELECT 3, 'COMMUNICATION_RECEIVED', '{}' FROM message
    UNION ALL
    SELECT 4, 'CUSTOMER_OPTED_OUT', jsonb_build_object('channel', :channel::text) FROM opted_out
    UNION ALL
    SELECT 5, 'CUSTOMER_OPTED_IN', jsonb_build_object('channel', :channel::text) FROM opted_in
    UNION ALL
    SELECT 6, 'UNREAD_COUNT_CHANGED', jsonb_build_object('customerUnreadCount', person.unread_count, 'conversationUnreadCount', thread.unread_count)
    FROM person, thread
  ) AS happened
), bumped AS (
  UPDATE organization SET event_seq = event_seq + total.n, unread_count = organization.unread_count + 1
  FROM (SELECT count(*) AS n FROM entry) AS total
  WHERE organization.id = :organizationId::uuid AND total.n > 0
  RETURNING event_seq - total.n AS base, unread_count
), logged AS (
  INSERT INTO event (organization_id, seq, type, occurred_at, customer_id, conversation_id, communication_id, data)
  SELECT :organizationId::uuid, bumped.base + entry.n, entry.type::"EventType", :now::timestamptz, person.id, thread.id, message.id,
    CASE WHEN entry.type = 'UNREAD_COUNT_CHANGED'
      THEN entry.data || jsonb_build_object('organizationUnreadCount', bumped.unread_count) ELSE entry.data END
  FROM bumped, entry, person, thread, message
)
SELECT message.id AS "communicationId", thread.id AS "conversationId", person.id AS "customerId", (SELECT count(*) FROM jobs)::int AS jobs
FROM message, thread, person`

export const receiveMessageSql = {
  parameters,
  text: template.replaceAll(/(?<!:):([a-z]\w+)/gi, (_match, name: string) => {
    const index = (parameters as readonly string[]).indexOf(name)
    if (index < 0) throw new Error(`receive-message: unknown parameter ${name}`)
    return `$${index + 1}`
  }),
}

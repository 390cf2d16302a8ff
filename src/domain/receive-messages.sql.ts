/**
 * Messages become rows, counters, events and jobs in one statement, whatever the organizations. $1: the messages as JSON (see `incoming` in
 * receive-message.ts), none twice; $2: the webhooks that brought them (see `rowOf` there); $3: the bodies of these, one after the other;
 * $4: milliseconds to wait for any lock, then nothing is done (55P03); 0: for ever. Gives a row for each message that was not received before.
 *
 * `plain`: for messages with one identity and no e-mail, file, reaction or word on consent. It is the same statement without what these do
 * not need: a good part of what one message costs is setting up the plan.
 *
 * Concurrency: all of it sees the snapshot of the statement's start, so a row that a concurrent transaction has just committed can be
 * updated only by INSERT … ON CONFLICT DO UPDATE. That is why customers and conversations are upserted, and why nothing is looked up that
 * decides between insert and update. Locks follow the data, each kind in the order of its key: received message, identity, customer,
 * conversation, organization. Those of the organizations come when all else is written: until the commit nobody else can write to their logs.
 */
export const receiveMessagesSql = ({ plain }: { plain: boolean }): string => `
WITH input AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json) AS m(n int, organization_id uuid, receipt_id uuid, account_id uuid, channel text, inbound boolean,
    external_id text, at timestamptz, sent_at timestamptz, new_customer_id uuid, name text, new_conversation_id uuid, address text,
    window_expires_at timestamptz, window_reason "WindowReason", communication_id uuid, subject text, body text, content jsonb, payload jsonb,
    in_reply_to text, identity_id uuid, kind "IdentityKind", scope text, value text, verified boolean${plain ? '' : WHOLE_COLUMNS})
  WHERE set_config('lock_timeout', $4, true) IS NOT NULL
), gate AS (
  INSERT INTO received_message (channel_account_id, external_message_id, organization_id, received_at)
  SELECT m.account_id, m.external_id, m.organization_id, m.at
  FROM input m
  WHERE NOT EXISTS (SELECT FROM communication c WHERE c.channel_account_id = m.account_id AND c.external_message_id = m.external_id)
  ORDER BY m.account_id, m.external_id
  ON CONFLICT (channel_account_id, external_message_id) DO NOTHING
  RETURNING channel_account_id, external_message_id
), accepted AS MATERIALIZED (
  SELECT * FROM input WHERE (account_id, external_id) IN (SELECT channel_account_id, external_message_id FROM gate)
), raw AS (
  INSERT INTO webhook_receipt (id, organization_id, channel_account_id, wire, segment, url, headers, body, storage_key, size, status)
  SELECT r.id, r.organization_id, r.account_id, r.wire, r.segment, r.url, r.headers,
    CASE WHEN r.storage_key IS NULL THEN substring($3::bytea FROM r.start + 1 FOR r.size) END, r.storage_key, r.size, 'APPLIED'
  FROM json_to_recordset($2::json) AS r(id uuid, organization_id uuid, account_id uuid, wire text, segment text, url text, headers jsonb,
    start int, storage_key text, size int)
  WHERE r.id IN (SELECT receipt_id FROM accepted)
  ON CONFLICT (id) DO NOTHING
  RETURNING id
), ${plain ? KNOWN_BY_ONE : KNOWN_BY_ANY}, first_identity AS (
  INSERT INTO customer_identity (id, organization_id, customer_id, kind, scope, value, verified)
  SELECT DISTINCT ON (organization_id, kind, scope, value) identity_id, organization_id, coalesce(k.customer_id, new_customer_id), kind, scope,
    value, verified
  FROM accepted LEFT JOIN known k USING (n) WHERE k.settled IS NOT TRUE ORDER BY organization_id, kind, scope, value, n
  ON CONFLICT (organization_id, kind, scope, value) DO UPDATE SET verified = customer_identity.verified OR excluded.verified
  RETURNING customer_id, organization_id, kind, scope, value
), sender AS MATERIALIZED (
  SELECT a.*, coalesce(f.customer_id, k.customer_id) AS customer_id
  FROM accepted a LEFT JOIN known k USING (n) LEFT JOIN first_identity f USING (organization_id, kind, scope, value)
)${plain ? '' : OTHER_IDENTITIES}, person AS (
  INSERT INTO customer (id, organization_id, name, unread_count, created_at)
  SELECT customer_id, organization_id, (array_agg(name ORDER BY n) FILTER (WHERE name IS NOT NULL))[1], count(*) FILTER (WHERE inbound), min(at)
  FROM sender GROUP BY customer_id, organization_id ORDER BY customer_id
  -- Who was merged since the snapshot takes nothing: null is refused, and the statement runs again (see receive-message.ts).
  ON CONFLICT (id) DO UPDATE SET name = coalesce(customer.name, excluded.name),
    unread_count = CASE WHEN customer.merged_into_id IS NULL THEN customer.unread_count + excluded.unread_count END
  RETURNING id, unread_count
), thread AS (
  INSERT INTO conversation (id, organization_id, customer_id, channel_account_id, channel, address, status, status_changed_at, unread_count,
    inbound_count, outbound_count, window_expires_at, window_reason, last_inbound_at, last_communication_id, last_activity_at, created_at)
  SELECT (array_agg(s.new_conversation_id ORDER BY s.n))[1], s.organization_id, person.id, s.account_id, min(s.channel)::"ChannelType",
    (array_agg(s.address ORDER BY s.n DESC))[1], 'OPEN', (array_agg(s.at ORDER BY s.n))[1], count(*) FILTER (WHERE s.inbound),
    count(*) FILTER (WHERE s.inbound), count(*) FILTER (WHERE NOT s.inbound), max(s.window_expires_at),
    (array_agg(s.window_reason ORDER BY s.window_expires_at DESC) FILTER (WHERE s.window_expires_at IS NOT NULL))[1],
    max(s.at) FILTER (WHERE s.inbound), (array_agg(s.communication_id ORDER BY s.n DESC))[1], max(s.at), min(s.at)
  FROM sender s JOIN person ON person.id = s.customer_id
  GROUP BY person.id, s.account_id, s.organization_id ORDER BY person.id, s.account_id
  ON CONFLICT (customer_id, channel_account_id) DO UPDATE SET
    unread_count = conversation.unread_count + excluded.unread_count,
    inbound_count = conversation.inbound_count + excluded.inbound_count,
    outbound_count = conversation.outbound_count + excluded.outbound_count,
    status = CASE WHEN excluded.inbound_count > 0 THEN 'OPEN' ELSE conversation.status END,
    status_changed_at = CASE WHEN conversation.status = 'OPEN' OR excluded.inbound_count = 0 THEN conversation.status_changed_at
      ELSE excluded.status_changed_at END,
    snoozed_until = CASE WHEN excluded.inbound_count > 0 THEN NULL ELSE conversation.snoozed_until END,
    address = excluded.address,
    window_reason = CASE WHEN excluded.window_expires_at >= coalesce(conversation.window_expires_at, '-infinity')
      THEN excluded.window_reason ELSE conversation.window_reason END,
    window_expires_at = greatest(conversation.window_expires_at, excluded.window_expires_at),
    last_inbound_at = greatest(conversation.last_inbound_at, excluded.last_inbound_at),
    last_communication_id = greatest(conversation.last_communication_id, excluded.last_communication_id),
    last_activity_at = greatest(conversation.last_activity_at, excluded.last_activity_at)
  RETURNING id, customer_id, channel_account_id, unread_count, status_changed_at
), placed AS MATERIALIZED (
  SELECT s.*, thread.id AS conversation_id,
    lead(s.n) OVER of_thread IS NULL AND thread.status_changed_at = s.at AS opens,
    person.unread_count - count(*) FILTER (WHERE s.inbound) OVER of_customer + s.inbound::int AS customer_unread,
    thread.unread_count - count(*) FILTER (WHERE s.inbound) OVER of_thread + s.inbound::int AS conversation_unread
  FROM sender s JOIN person ON person.id = s.customer_id
  LEFT JOIN thread ON thread.customer_id = s.customer_id AND thread.channel_account_id = s.account_id
  -- From the last to the first: counts at the time of a message are those of the end without what comes after it.
  WINDOW of_customer AS (PARTITION BY s.customer_id ORDER BY s.n DESC), of_thread AS (PARTITION BY s.customer_id, s.account_id ORDER BY s.n DESC)
), message AS (
  INSERT INTO communication (id, organization_id, customer_id, conversation_id, channel_account_id, type, direction, subject, body, content,
    payload, in_reply_to, is_read, delivery_status, external_message_id, sent_at, created_at)
  SELECT communication_id, organization_id, customer_id, conversation_id, account_id, channel::"CommunicationType",
    CASE WHEN inbound THEN 'INBOUND' ELSE 'OUTBOUND' END::"Direction", subject, body, content, payload, ${plain ? 'in_reply_to' : ANSWERS},
    NOT inbound, CASE WHEN inbound THEN NULL ELSE 'SENT'::"DeliveryStatus" END, external_id,
    CASE WHEN inbound THEN NULL ELSE coalesce(sent_at, at) END, at
  FROM placed
  RETURNING id
)${plain ? '' : MORE_ROWS}, happened AS (
  SELECT p.n, e.ord, p.organization_id, e.type, NULL::jsonb AS data, NULL::uuid AS about
  FROM placed p CROSS JOIN LATERAL (VALUES
    (1, 'CUSTOMER_CREATED', customer_id = new_customer_id),
    (2, 'CONVERSATION_CHANGED', opens),
    (3, 'COMMUNICATION_RECEIVED', inbound),
    (3, 'COMMUNICATION_CREATED', NOT inbound),
    (7, 'UNREAD_COUNT_CHANGED', inbound)
  ) AS e(ord, type, so) WHERE e.so${plain ? '' : MORE_EVENTS}
), entry AS MATERIALIZED (
  SELECT *, row_number() OVER earlier AS k, count(*) FILTER (WHERE type = 'UNREAD_COUNT_CHANGED') OVER earlier AS unread
  FROM happened WINDOW earlier AS (PARTITION BY organization_id ORDER BY n, ord ROWS UNBOUNDED PRECEDING)
), total AS MATERIALIZED (
  SELECT organization_id, max(k) AS events, max(unread) AS unread FROM entry GROUP BY organization_id
), locked AS MATERIALIZED (
  SELECT id FROM organization WHERE id IN (SELECT organization_id FROM total)
    AND (SELECT count(*) FROM message) + (SELECT count(*) FROM raw) > 0
  ORDER BY id FOR NO KEY UPDATE
), bumped AS (
  UPDATE organization SET event_seq = event_seq + total.events, unread_count = organization.unread_count + total.unread
  FROM total JOIN locked ON locked.id = total.organization_id
  WHERE organization.id = total.organization_id
  RETURNING organization.id, event_seq - total.events AS base, unread_count - total.unread AS unread_before
), logged AS (
  INSERT INTO event (organization_id, seq, type, occurred_at, customer_id, conversation_id, communication_id, data)
  SELECT e.organization_id, bumped.base + e.k, e.type::"EventType", p.at, p.customer_id, p.conversation_id,
    coalesce(e.about, p.communication_id),
    CASE e.type
      WHEN 'UNREAD_COUNT_CHANGED' THEN jsonb_build_object('customerUnreadCount', p.customer_unread,
        'conversationUnreadCount', p.conversation_unread, 'organizationUnreadCount', bumped.unread_before + e.unread)
      WHEN 'CONVERSATION_CHANGED' THEN jsonb_build_object('status', 'OPEN', 'created', p.conversation_id = p.new_conversation_id)
      ELSE coalesce(e.data, '{}') END
  FROM bumped JOIN entry e ON e.organization_id = bumped.id JOIN placed p USING (n)
)
SELECT n, communication_id AS "communicationId", conversation_id AS "conversationId", customer_id AS "customerId"${plain ? '' : JOBS}
FROM placed`

const WHOLE_COLUMNS = `, others json,
    consent jsonb, consent_ids uuid[], email jsonb, parents json, token_customer_id uuid, token_suggestion_id uuid, attachments json`

/** LIMIT keeps PostgreSQL from reading all identities where it takes the few that are asked for to be many. */
const identityOf = (named: string): string => `
    SELECT * FROM customer_identity c
    WHERE c.organization_id = ${named}.organization_id AND c.kind = ${named}.kind AND c.scope = ${named}.scope AND c.value = ${named}.value
    LIMIT 1`

const KNOWN_BY_ONE = `known AS MATERIALIZED (
  SELECT a.n, i.customer_id, i.verified OR NOT a.verified AS settled
  FROM accepted a CROSS JOIN LATERAL (${identityOf('a')}) AS i
)`

/** The first of its identities that is known says who wrote it. */
const KNOWN_BY_ANY = `other AS MATERIALIZED (
  SELECT a.n, a.organization_id, i.ord, (i.item->>'id')::uuid AS id, (i.item->>'kind')::"IdentityKind" AS kind, i.item->>'scope' AS scope,
    i.item->>'value' AS value, (i.item->>'verified')::boolean AS verified, (i.item->>'suggestion_id')::uuid AS suggestion_id
  FROM accepted a, json_array_elements(a.others) WITH ORDINALITY AS i(item, ord)
), known AS MATERIALIZED (
  SELECT DISTINCT ON (g.n) g.n, i.customer_id, g.ord = 0 AND (i.verified OR NOT g.verified) AS settled
  FROM (
    SELECT n, 0 AS ord, organization_id, kind, scope, value, verified FROM accepted
    UNION ALL SELECT n, ord, organization_id, kind, scope, value, verified FROM other
  ) AS g CROSS JOIN LATERAL (${identityOf('g')}) AS i
  ORDER BY g.n, g.ord
)`

const OTHER_IDENTITIES = `, other_identities AS (
  INSERT INTO customer_identity (id, organization_id, customer_id, kind, scope, value, verified)
  SELECT DISTINCT ON (o.organization_id, o.kind, o.scope, o.value) o.id, o.organization_id, s.customer_id, o.kind, o.scope, o.value, o.verified
  FROM other o JOIN sender s USING (n) ORDER BY o.organization_id, o.kind, o.scope, o.value, o.n
  ON CONFLICT (organization_id, kind, scope, value) DO UPDATE SET verified = true
    WHERE customer_identity.customer_id = excluded.customer_id AND excluded.verified AND NOT customer_identity.verified
), suggestion AS (
  INSERT INTO merge_suggestion (id, organization_id, customer_id, other_customer_id, kind, value)
  SELECT DISTINCT ON (customer_id, other_customer_id) suggestion_id, organization_id, customer_id, other_customer_id, kind, value
  FROM (
    SELECT o.suggestion_id, o.organization_id, s.customer_id, i.customer_id AS other_customer_id, o.kind, o.value
    FROM other o JOIN sender s USING (n) CROSS JOIN LATERAL (${identityOf('o')}) AS i
    UNION ALL
    SELECT token_suggestion_id, organization_id, customer_id, token_customer_id, kind, value FROM sender WHERE token_customer_id IS NOT NULL
  ) AS named
  WHERE other_customer_id <> customer_id AND NOT EXISTS (
    SELECT FROM merge_suggestion m WHERE m.customer_id = named.other_customer_id AND m.other_customer_id = named.customer_id)
  ORDER BY customer_id, other_customer_id
  ON CONFLICT (customer_id, other_customer_id) DO NOTHING
  RETURNING id, customer_id, other_customer_id
)`

/** Anybody can write that an e-mail answers another one: it does so only within one customer's own. */
const ANSWERS = `coalesce(in_reply_to, (
      SELECT p.item->>'externalMessageId' FROM json_array_elements(parents) WITH ORDINALITY AS p(item, ord)
      WHERE (p.item->>'customerId')::uuid = customer_id ORDER BY p.ord LIMIT 1))`

const MORE_ROWS = `, mail AS (
  INSERT INTO email_message (communication_id, organization_id, channel_account_id, message_id, "references", "from", "to", cc, html, quoted_text)
  SELECT communication_id, organization_id, account_id, email->>'messageId',
    ARRAY(SELECT jsonb_array_elements_text(email->'references')), email->'from', email->'to', email->'cc', email->>'html', email->>'quotedText'
  FROM placed WHERE jsonb_typeof(email) = 'object'
), files AS (
  INSERT INTO attachment (id, organization_id, communication_id, source_url, content_type, filename, content_id, storage_key, size, status, created_at)
  SELECT (f.item->>'id')::uuid, p.organization_id, p.communication_id, f.item->>'url', f.item->>'contentType', f.item->>'filename',
    f.item->>'contentId', f.item->>'storage_key', (f.item->>'size')::int,
    CASE WHEN f.item->>'storage_key' IS NULL THEN 'PENDING' ELSE 'STORED' END::"AttachmentStatus", p.at
  FROM placed p, json_array_elements(p.attachments) AS f(item)
  RETURNING id, status
), jobs AS (
  SELECT graphile_worker.add_job('fetch-attachment', json_build_object('attachmentId', files.id)) FROM files WHERE status = 'PENDING'
), consent AS MATERIALIZED (
  SELECT p.n, p.organization_id, p.customer_id, p.channel::"ChannelType" AS channel, u.purpose, p.consent_ids[u.ord] AS consent_id,
    (p.consent->>'state')::"ConsentState" AS state,
    (p.consent->>'source')::"ConsentSource" AS source, p.body, p.communication_id, p.at,
    -- Of several in one batch, each one is compared with the one before it.
    coalesce(lag((p.consent->>'state')::"ConsentState") OVER (PARTITION BY p.customer_id, p.channel, u.purpose ORDER BY p.n),
      (SELECT c.state FROM consent_entry c WHERE c.customer_id = p.customer_id AND c.channel = p.channel::"ChannelType" AND c.purpose = u.purpose
       ORDER BY c.occurred_at DESC, c.id DESC LIMIT 1), 'OPTED_IN') AS before
  FROM placed p CROSS JOIN unnest(enum_range(NULL::"MessagePurpose")) WITH ORDINALITY AS u(purpose, ord)
  WHERE jsonb_typeof(p.consent) = 'object'
), ledger AS (
  INSERT INTO consent_entry (id, organization_id, customer_id, channel, purpose, state, source, evidence, communication_id, occurred_at)
  SELECT consent_id, organization_id, customer_id, channel, purpose, state, source, left(body, 1000), communication_id, at
  FROM consent ORDER BY n
)`

const MORE_EVENTS = `
  UNION ALL
  SELECT n, 4, organization_id, 'COMMUNICATION_CHANGED', jsonb_build_object('change', 'reaction'), target FROM (
    SELECT p.n, p.organization_id, (
      SELECT t.id FROM communication t WHERE t.channel_account_id = p.account_id AND t.external_message_id = p.content->>'target') AS target
    FROM placed p WHERE p.content->>'kind' = 'REACTION'
  ) AS reaction WHERE target IS NOT NULL
  UNION ALL
  SELECT n, 5, organization_id, CASE state WHEN 'OPTED_OUT' THEN 'CUSTOMER_OPTED_OUT' ELSE 'CUSTOMER_OPTED_IN' END,
    jsonb_build_object('channel', channel, 'purposes', jsonb_agg(purpose ORDER BY purpose), 'source', source), NULL
  FROM consent WHERE state <> before GROUP BY n, organization_id, state, channel, source
  UNION ALL
  SELECT min(p.n), 6, p.organization_id, 'MERGE_SUGGESTED',
    jsonb_build_object('mergeSuggestionId', s.id, 'otherCustomerId', s.other_customer_id), NULL
  FROM suggestion s JOIN placed p USING (customer_id) GROUP BY s.id, s.other_customer_id, p.organization_id`

const JOBS = `,
  (SELECT count(*) FROM jobs)::int AS jobs`

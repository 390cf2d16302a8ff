/**
 * Several messages of one organization become rows, counters, events and jobs in one statement. $1: the organization's id; $2: the messages
 * as JSON (see `incoming` in receive-message.ts); $3: the webhooks that brought them (see `rowOf` there). Gives a row for each message that
 * was not received before.
 *
 * Concurrency: all of it sees the snapshot of the statement's start, so a row that a concurrent transaction has just committed can be
 * updated only by INSERT … ON CONFLICT DO UPDATE. That is why customers and conversations are upserted, and why nothing is looked up that
 * decides between insert and update. Locks follow the data, each kind in the order of its key: received message, identity, customer,
 * conversation, organization.
 */
export const receiveMessagesSql = `
WITH input AS MATERIALIZED (
  SELECT * FROM jsonb_to_recordset($2::jsonb) AS m(n int, receipt_id uuid, account_id uuid, channel text, direction "Direction", external_id text,
    at timestamptz, sent_at timestamptz, new_customer_id uuid, name text, new_conversation_id uuid, address text, window_expires_at timestamptz,
    window_reason "WindowReason", communication_id uuid, subject text, body text, content jsonb, payload jsonb, in_reply_to text, consent jsonb,
    consent_ids uuid[], email jsonb, parents jsonb, token_customer_id uuid, token_suggestion_id uuid, identities jsonb, attachments jsonb)
), gate AS (
  INSERT INTO received_message (channel_account_id, external_message_id, organization_id, received_at)
  SELECT DISTINCT ON (m.account_id, m.external_id) m.account_id, m.external_id, $1::uuid, m.at
  FROM input m
  WHERE NOT EXISTS (SELECT FROM communication c WHERE c.channel_account_id = m.account_id AND c.external_message_id = m.external_id)
  ORDER BY m.account_id, m.external_id, m.n
  ON CONFLICT (channel_account_id, external_message_id) DO NOTHING
  RETURNING channel_account_id, external_message_id
), accepted AS MATERIALIZED (
  SELECT DISTINCT ON (m.account_id, m.external_id) m.*, m.direction = 'INBOUND' AS inbound
  FROM input m JOIN gate ON gate.channel_account_id = m.account_id AND gate.external_message_id = m.external_id
  ORDER BY m.account_id, m.external_id, m.n
), raw AS (
  INSERT INTO webhook_receipt (id, organization_id, channel_account_id, wire, segment, url, headers, body, storage_key, size, status)
  SELECT r.id, $1::uuid, r.account_id, r.wire, r.segment, r.url, r.headers, decode(r.body, 'base64'), r.storage_key, r.size, 'APPLIED'
  FROM jsonb_to_recordset($3::jsonb) AS r(id uuid, account_id uuid, wire text, segment text, url text, headers jsonb, body text, storage_key text,
    size int)
  WHERE r.id IN (SELECT receipt_id FROM accepted)
  ORDER BY r.id
  ON CONFLICT (id) DO NOTHING
), given AS MATERIALIZED (
  SELECT a.n, i.ord, (i.item->>'id')::uuid AS id, (i.item->>'kind')::"IdentityKind" AS kind, i.item->>'scope' AS scope, i.item->>'value' AS value,
    (i.item->>'verified')::boolean AS verified, (i.item->>'suggestion_id')::uuid AS suggestion_id
  FROM accepted a, jsonb_array_elements(a.identities) WITH ORDINALITY AS i(item, ord)
), known AS MATERIALIZED (
  SELECT DISTINCT ON (g.n) g.n, found.customer_id, g.ord = 1 AND (found.verified OR NOT g.verified) AS settled
  FROM given g CROSS JOIN LATERAL (
    SELECT i.customer_id, i.verified FROM customer_identity i
    WHERE i.organization_id = $1::uuid AND i.kind = g.kind AND i.scope = g.scope AND i.value = g.value
    LIMIT 1
  ) AS found
  ORDER BY g.n, g.ord
), unsettled AS (
  SELECT g.*, coalesce(k.customer_id, a.new_customer_id) AS customer_id
  FROM given g JOIN accepted a USING (n) LEFT JOIN known k USING (n)
  WHERE g.ord = 1 AND k.settled IS NOT TRUE
), first_identity AS (
  INSERT INTO customer_identity (id, organization_id, customer_id, kind, scope, value, verified)
  SELECT DISTINCT ON (kind, scope, value) id, $1::uuid, customer_id, kind, scope, value, verified FROM unsettled ORDER BY kind, scope, value, n
  ON CONFLICT (organization_id, kind, scope, value) DO UPDATE SET verified = customer_identity.verified OR excluded.verified
  RETURNING customer_id, kind, scope, value
), sender AS MATERIALIZED (
  SELECT u.n, f.customer_id FROM unsettled u JOIN first_identity f USING (kind, scope, value)
  UNION ALL
  SELECT n, customer_id FROM known WHERE settled
), other_identities AS (
  INSERT INTO customer_identity (id, organization_id, customer_id, kind, scope, value, verified)
  SELECT DISTINCT ON (g.kind, g.scope, g.value) g.id, $1::uuid, s.customer_id, g.kind, g.scope, g.value, g.verified
  FROM given g JOIN sender s USING (n) WHERE g.ord > 1 ORDER BY g.kind, g.scope, g.value, g.n
  ON CONFLICT (organization_id, kind, scope, value) DO UPDATE SET verified = true
    WHERE customer_identity.customer_id = excluded.customer_id AND excluded.verified AND NOT customer_identity.verified
), suggestion AS (
  INSERT INTO merge_suggestion (id, organization_id, customer_id, other_customer_id, kind, value)
  SELECT DISTINCT ON (customer_id, other_customer_id) suggestion_id, $1::uuid, customer_id, other_customer_id, kind, value
  FROM (
    SELECT g.suggestion_id, s.customer_id, i.customer_id AS other_customer_id, g.kind, g.value
    FROM given g JOIN sender s USING (n)
    JOIN customer_identity i ON i.organization_id = $1::uuid AND i.kind = g.kind AND i.scope = g.scope AND i.value = g.value
    WHERE g.ord > 1
    UNION ALL
    SELECT a.token_suggestion_id, s.customer_id, a.token_customer_id, g.kind, g.value
    FROM accepted a JOIN sender s USING (n) JOIN given g ON g.n = a.n AND g.ord = 1
    WHERE a.token_customer_id IS NOT NULL
  ) AS named
  WHERE other_customer_id <> customer_id AND NOT EXISTS (
    SELECT FROM merge_suggestion m WHERE m.customer_id = named.other_customer_id AND m.other_customer_id = named.customer_id)
  ORDER BY customer_id, other_customer_id
  ON CONFLICT (customer_id, other_customer_id) DO NOTHING
  RETURNING id, customer_id, other_customer_id
), person AS (
  INSERT INTO customer (id, organization_id, name, unread_count, created_at)
  SELECT s.customer_id, $1::uuid, (array_agg(a.name ORDER BY a.n) FILTER (WHERE a.name IS NOT NULL))[1], count(*) FILTER (WHERE a.inbound), min(a.at)
  FROM sender s JOIN accepted a USING (n) GROUP BY s.customer_id ORDER BY s.customer_id
  -- Who was merged since the snapshot takes nothing: null is refused, and the statement runs again (see receive-message.ts).
  ON CONFLICT (id) DO UPDATE SET name = coalesce(customer.name, excluded.name),
    unread_count = CASE WHEN customer.merged_into_id IS NULL THEN customer.unread_count + excluded.unread_count END
  RETURNING id, unread_count
), thread AS (
  INSERT INTO conversation (id, organization_id, customer_id, channel_account_id, channel, address, status, status_changed_at, unread_count,
    inbound_count, outbound_count, window_expires_at, window_reason, last_inbound_at, last_communication_id, last_activity_at, created_at)
  SELECT (array_agg(a.new_conversation_id ORDER BY a.n))[1], $1::uuid, person.id, a.account_id, min(a.channel)::"ChannelType",
    (array_agg(a.address ORDER BY a.n DESC))[1], 'OPEN', min(a.at), count(*) FILTER (WHERE a.inbound), count(*) FILTER (WHERE a.inbound),
    count(*) FILTER (WHERE NOT a.inbound), max(a.window_expires_at),
    (array_agg(a.window_reason ORDER BY a.window_expires_at DESC) FILTER (WHERE a.window_expires_at IS NOT NULL))[1],
    max(a.at) FILTER (WHERE a.inbound), (array_agg(a.communication_id ORDER BY a.n DESC))[1], max(a.at), min(a.at)
  FROM accepted a JOIN sender s USING (n) JOIN person ON person.id = s.customer_id
  GROUP BY person.id, a.account_id ORDER BY person.id, a.account_id
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
  SELECT a.*, person.id AS customer_id, thread.id AS conversation_id, thread.status_changed_at,
    -- Anybody can write that an e-mail answers another one: it does so only within one customer's own.
    coalesce(a.in_reply_to, (SELECT p.item->>'externalMessageId' FROM jsonb_array_elements(a.parents) WITH ORDINALITY AS p(item, ord)
      WHERE (p.item->>'customerId')::uuid = person.id ORDER BY p.ord LIMIT 1)) AS answers,
    count(*) FILTER (WHERE a.inbound) OVER (ORDER BY a.n) AS nth,
    row_number() OVER of_customer AS nth_of_customer,
    row_number() OVER of_thread AS nth_of_thread,
    person.unread_count - count(*) FILTER (WHERE a.inbound) OVER (PARTITION BY person.id)
      + count(*) FILTER (WHERE a.inbound) OVER of_customer AS customer_unread,
    thread.unread_count - count(*) FILTER (WHERE a.inbound) OVER (PARTITION BY thread.id)
      + count(*) FILTER (WHERE a.inbound) OVER of_thread AS conversation_unread
  FROM accepted a JOIN sender s USING (n) JOIN person ON person.id = s.customer_id
  JOIN thread ON thread.customer_id = person.id AND thread.channel_account_id = a.account_id
  WINDOW of_customer AS (PARTITION BY person.id ORDER BY a.n), of_thread AS (PARTITION BY thread.id ORDER BY a.n)
), message AS (
  INSERT INTO communication (id, organization_id, customer_id, conversation_id, channel_account_id, type, direction, subject, body, content,
    payload, in_reply_to, is_read, delivery_status, external_message_id, sent_at, created_at)
  SELECT communication_id, $1::uuid, customer_id, conversation_id, account_id, channel::"CommunicationType", direction, subject, body, content,
    payload, answers, NOT inbound, CASE WHEN inbound THEN NULL ELSE 'SENT'::"DeliveryStatus" END, external_id,
    CASE WHEN inbound THEN NULL ELSE coalesce(sent_at, at) END, at
  FROM placed
), mail AS (
  INSERT INTO email_message (communication_id, organization_id, channel_account_id, message_id, "references", "from", "to", cc, html, quoted_text)
  SELECT communication_id, $1::uuid, account_id, email->>'messageId',
    ARRAY(SELECT jsonb_array_elements_text(email->'references')), email->'from', email->'to', email->'cc', email->>'html', email->>'quotedText'
  FROM placed WHERE jsonb_typeof(email) = 'object'
), files AS (
  INSERT INTO attachment (id, organization_id, communication_id, source_url, content_type, filename, content_id, storage_key, size, status, created_at)
  SELECT (f.item->>'id')::uuid, $1::uuid, p.communication_id, f.item->>'url', f.item->>'contentType', f.item->>'filename', f.item->>'contentId',
    f.item->>'storage_key', (f.item->>'size')::int,
    CASE WHEN f.item->>'storage_key' IS NULL THEN 'PENDING' ELSE 'STORED' END::"AttachmentStatus", p.at
  FROM placed p, jsonb_array_elements(p.attachments) AS f(item)
  RETURNING id, status
), jobs AS (
  SELECT graphile_worker.add_job('fetch-attachment', json_build_object('attachmentId', files.id)) FROM files WHERE status = 'PENDING'
), consent AS MATERIALIZED (
  SELECT p.n, p.customer_id, p.channel::"ChannelType" AS channel, u.purpose, p.consent_ids[u.ord] AS consent_id,
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
  SELECT consent_id, $1::uuid, customer_id, channel, purpose, state, source, left(body, 1000), communication_id, at FROM consent ORDER BY n
), entry AS MATERIALIZED (
  SELECT row_number() OVER (ORDER BY n, ord) AS k, n, type, data, about FROM (
    SELECT n, 1 AS ord, 'CUSTOMER_CREATED' AS type, '{}'::jsonb AS data, NULL::uuid AS about FROM placed
    WHERE nth_of_customer = 1 AND customer_id IN (SELECT new_customer_id FROM placed)
    UNION ALL
    SELECT n, 2, 'CONVERSATION_CHANGED',
      jsonb_build_object('status', 'OPEN', 'created', conversation_id IN (SELECT new_conversation_id FROM placed)), NULL
    FROM placed WHERE nth_of_thread = 1 AND status_changed_at = at
    UNION ALL
    SELECT n, 3, CASE WHEN inbound THEN 'COMMUNICATION_RECEIVED' ELSE 'COMMUNICATION_CREATED' END, '{}', NULL FROM placed
    UNION ALL
    SELECT n, 4, 'COMMUNICATION_CHANGED', jsonb_build_object('change', 'reaction'), target FROM (
      SELECT p.n, (
        SELECT t.id FROM communication t WHERE t.channel_account_id = p.account_id AND t.external_message_id = p.content->>'target') AS target
      FROM placed p WHERE p.content->>'kind' = 'REACTION'
    ) AS reaction WHERE target IS NOT NULL
    UNION ALL
    SELECT n, 5, CASE state WHEN 'OPTED_OUT' THEN 'CUSTOMER_OPTED_OUT' ELSE 'CUSTOMER_OPTED_IN' END,
      jsonb_build_object('channel', channel, 'purposes', jsonb_agg(purpose ORDER BY purpose), 'source', source), NULL
    FROM consent WHERE state <> before GROUP BY n, state, channel, source
    UNION ALL
    SELECT min(p.n), 6, 'MERGE_SUGGESTED', jsonb_build_object('mergeSuggestionId', s.id, 'otherCustomerId', s.other_customer_id), NULL
    FROM suggestion s JOIN placed p USING (customer_id) GROUP BY s.id, s.other_customer_id
    UNION ALL
    SELECT n, 7, 'UNREAD_COUNT_CHANGED',
      jsonb_build_object('customerUnreadCount', customer_unread, 'conversationUnreadCount', conversation_unread), NULL
    FROM placed WHERE inbound
  ) AS happened
), bumped AS (
  UPDATE organization SET event_seq = event_seq + total.events, unread_count = organization.unread_count + total.messages
  FROM (SELECT (SELECT count(*) FROM entry) AS events, (SELECT count(*) FROM placed WHERE inbound) AS messages) AS total
  WHERE organization.id = $1::uuid AND total.events > 0
  RETURNING event_seq - total.events AS base, unread_count - total.messages AS unread_before
), logged AS (
  INSERT INTO event (organization_id, seq, type, occurred_at, customer_id, conversation_id, communication_id, data)
  SELECT $1::uuid, bumped.base + entry.k, entry.type::"EventType", p.at, p.customer_id, p.conversation_id,
    coalesce(entry.about, p.communication_id),
    CASE WHEN entry.type = 'UNREAD_COUNT_CHANGED'
      THEN entry.data || jsonb_build_object('organizationUnreadCount', bumped.unread_before + p.nth) ELSE entry.data END
  FROM bumped, entry JOIN placed p USING (n)
)
SELECT n, communication_id AS "communicationId", conversation_id AS "conversationId", customer_id AS "customerId",
  (SELECT count(*) FROM jobs)::int AS jobs
FROM placed`

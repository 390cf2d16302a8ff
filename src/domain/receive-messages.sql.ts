/**
 * Several inbound messages of one organization become rows, counters, events and jobs in one statement. $1: the organization's id;
 * $2: the messages as JSON (see `Incoming` in receive-message.ts). Gives a row for each message that was not received before.
 *
 * Concurrency: all of it sees the snapshot of the statement's start, so a row that a concurrent transaction has just committed can be
 * updated only by INSERT … ON CONFLICT DO UPDATE. That is why customers and conversations are upserted, and why nothing is looked up that
 * decides between insert and update. Locks follow the data, each kind in the order of its key: webhook, identity, customer,
 * conversation, organization.
 */
export const receiveMessagesSql = `
WITH input AS MATERIALIZED (
  SELECT * FROM jsonb_to_recordset($2::jsonb) AS m(n int, webhook_id uuid, account_id uuid, channel text, external_id text, url text, headers jsonb,
    raw_body text, at timestamptz, new_customer_id uuid, name text, new_conversation_id uuid, address text, window_expires_at timestamptz,
    communication_id uuid, subject text, body text, payload jsonb, consent text, opt_out_id uuid, identities jsonb, attachments jsonb)
), raw AS (
  INSERT INTO webhook (id, organization_id, channel_account_id, dedupe_key, url, headers, body, status, received_at)
  SELECT m.webhook_id, $1::uuid, m.account_id, 'message:' || m.external_id, m.url, m.headers, decode(m.raw_body, 'base64'), 'APPLIED', m.at
  FROM input m
  WHERE NOT EXISTS (SELECT FROM communication c WHERE c.channel_account_id = m.account_id AND c.external_message_id = m.external_id)
  ORDER BY m.account_id, m.external_id
  ON CONFLICT (channel_account_id, dedupe_key) DO NOTHING
  RETURNING id
), accepted AS MATERIALIZED (
  SELECT m.* FROM input m JOIN raw ON raw.id = m.webhook_id
), given AS MATERIALIZED (
  SELECT a.n, i.ord, (i.item->>'id')::uuid AS id, (i.item->>'kind')::"IdentityKind" AS kind, i.item->>'scope' AS scope, i.item->>'value' AS value,
    (i.item->>'verified')::boolean AS verified
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
), person AS (
  INSERT INTO customer (id, organization_id, name, unread_count, created_at)
  SELECT s.customer_id, $1::uuid, (array_agg(a.name ORDER BY a.n) FILTER (WHERE a.name IS NOT NULL))[1], count(*), min(a.at)
  FROM sender s JOIN accepted a USING (n) GROUP BY s.customer_id ORDER BY s.customer_id
  ON CONFLICT (id) DO UPDATE SET unread_count = customer.unread_count + excluded.unread_count, name = coalesce(customer.name, excluded.name)
  RETURNING id, unread_count
), thread AS (
  INSERT INTO conversation (id, organization_id, customer_id, channel_account_id, channel, address, status, status_changed_at, unread_count,
    inbound_count, window_expires_at, last_communication_id, last_activity_at, created_at)
  SELECT (array_agg(a.new_conversation_id ORDER BY a.n))[1], $1::uuid, person.id, a.account_id, min(a.channel)::"ChannelType",
    (array_agg(a.address ORDER BY a.n DESC))[1], 'OPEN', min(a.at), count(*), count(*), max(a.window_expires_at),
    (array_agg(a.communication_id ORDER BY a.n DESC))[1], max(a.at), min(a.at)
  FROM accepted a JOIN sender s USING (n) JOIN person ON person.id = s.customer_id
  GROUP BY person.id, a.account_id ORDER BY person.id, a.account_id
  ON CONFLICT (customer_id, channel_account_id) DO UPDATE SET
    unread_count = conversation.unread_count + excluded.unread_count,
    inbound_count = conversation.inbound_count + excluded.inbound_count,
    status = 'OPEN',
    status_changed_at = CASE WHEN conversation.status = 'OPEN' THEN conversation.status_changed_at ELSE excluded.status_changed_at END,
    snoozed_until = NULL,
    address = excluded.address,
    window_expires_at = greatest(conversation.window_expires_at, excluded.window_expires_at),
    last_communication_id = greatest(conversation.last_communication_id, excluded.last_communication_id),
    last_activity_at = greatest(conversation.last_activity_at, excluded.last_activity_at)
  RETURNING id, customer_id, channel_account_id, unread_count, status_changed_at
), placed AS MATERIALIZED (
  SELECT a.*, person.id AS customer_id, thread.id AS conversation_id, thread.status_changed_at,
    row_number() OVER (ORDER BY a.n) AS nth,
    row_number() OVER of_customer AS nth_of_customer,
    row_number() OVER of_thread AS nth_of_thread,
    person.unread_count - count(*) OVER (PARTITION BY person.id) + row_number() OVER of_customer AS customer_unread,
    thread.unread_count - count(*) OVER (PARTITION BY thread.id) + row_number() OVER of_thread AS conversation_unread
  FROM accepted a JOIN sender s USING (n) JOIN person ON person.id = s.customer_id
  JOIN thread ON thread.customer_id = person.id AND thread.channel_account_id = a.account_id
  WINDOW of_customer AS (PARTITION BY person.id ORDER BY a.n), of_thread AS (PARTITION BY thread.id ORDER BY a.n)
), message AS (
  INSERT INTO communication (id, organization_id, customer_id, conversation_id, channel_account_id, type, direction, subject, body, payload,
    is_read, external_message_id, created_at)
  SELECT communication_id, $1::uuid, customer_id, conversation_id, account_id, channel::"CommunicationType", 'INBOUND', subject, body, payload,
    false, external_id, at
  FROM placed
), files AS (
  INSERT INTO attachment (id, organization_id, communication_id, source_url, content_type, filename, created_at)
  SELECT (f.item->>'id')::uuid, $1::uuid, p.communication_id, f.item->>'url', f.item->>'contentType', f.item->>'filename', p.at
  FROM placed p, jsonb_array_elements(p.attachments) AS f(item)
  RETURNING id
), jobs AS (
  SELECT graphile_worker.add_job('fetch-attachment', json_build_object('attachmentId', files.id)) FROM files
), consent AS MATERIALIZED (
  SELECT DISTINCT ON (customer_id, channel) n, customer_id, channel, consent, opt_out_id, at
  FROM placed WHERE consent IS NOT NULL ORDER BY customer_id, channel, n DESC
), opted_out AS (
  INSERT INTO opt_out (id, organization_id, customer_id, channel, created_at)
  SELECT opt_out_id, $1::uuid, customer_id, channel::"ChannelType", at FROM consent WHERE consent = 'OPT_OUT'
  ON CONFLICT (customer_id, channel) DO NOTHING
  RETURNING id
), opted_in AS (
  DELETE FROM opt_out USING consent c
  WHERE c.consent = 'OPT_IN' AND opt_out.customer_id = c.customer_id AND opt_out.channel = c.channel::"ChannelType"
  RETURNING c.n
), entry AS MATERIALIZED (
  SELECT row_number() OVER (ORDER BY n, ord) AS k, n, type, data FROM (
    SELECT n, 1 AS ord, 'CUSTOMER_CREATED' AS type, '{}'::jsonb AS data FROM placed
    WHERE nth_of_customer = 1 AND customer_id IN (SELECT new_customer_id FROM placed)
    UNION ALL
    SELECT n, 2, 'CONVERSATION_CHANGED',
      jsonb_build_object('status', 'OPEN', 'created', conversation_id IN (SELECT new_conversation_id FROM placed))
    FROM placed WHERE nth_of_thread = 1 AND status_changed_at = at
    UNION ALL
    SELECT n, 3, 'COMMUNICATION_RECEIVED', '{}' FROM placed
    UNION ALL
    SELECT c.n, 4, 'CUSTOMER_OPTED_OUT', jsonb_build_object('channel', c.channel) FROM consent c JOIN opted_out ON opted_out.id = c.opt_out_id
    UNION ALL
    SELECT c.n, 5, 'CUSTOMER_OPTED_IN', jsonb_build_object('channel', c.channel) FROM consent c JOIN opted_in USING (n)
    UNION ALL
    SELECT n, 6, 'UNREAD_COUNT_CHANGED', jsonb_build_object('customerUnreadCount', customer_unread, 'conversationUnreadCount', conversation_unread)
    FROM placed
  ) AS happened
), bumped AS (
  UPDATE organization SET event_seq = event_seq + total.events, unread_count = organization.unread_count + total.messages
  FROM (SELECT (SELECT count(*) FROM entry) AS events, (SELECT count(*) FROM placed) AS messages) AS total
  WHERE organization.id = $1::uuid AND total.events > 0
  RETURNING event_seq - total.events AS base, unread_count - total.messages AS unread_before
), logged AS (
  INSERT INTO event (organization_id, seq, type, occurred_at, customer_id, conversation_id, communication_id, data)
  SELECT $1::uuid, bumped.base + entry.k, entry.type::"EventType", p.at, p.customer_id, p.conversation_id, p.communication_id,
    CASE WHEN entry.type = 'UNREAD_COUNT_CHANGED'
      THEN entry.data || jsonb_build_object('organizationUnreadCount', bumped.unread_before + p.nth) ELSE entry.data END
  FROM bumped, entry JOIN placed p USING (n)
)
SELECT n, communication_id AS "communicationId", conversation_id AS "conversationId", customer_id AS "customerId",
  (SELECT count(*) FROM jobs)::int AS jobs
FROM placed`

import {
  ARRIVING,
  identityOf,
  insertCommunication,
  insertGate,
  insertIdentity,
  insertReceipt,
  upsertConversation,
  upsertCustomer,
  type Value,
} from './receive-rows.sql.ts'

const columns = (types: Record<string, string>): string =>
  Object.entries(types)
    .map((column) => column.join(' '))
    .join(', ')

/**
 * Messages become rows, counters, events and jobs in one statement, whatever the organizations. $1: the messages as JSON (see `incoming` in
 * receive-message.ts), no two the same or of the same sender, each with the webhook that brought it; $2: the bodies of the webhooks, one after
 * the other; $3: milliseconds to wait for any lock, then nothing is done (55P03); 0: for ever. Gives a row for each message that was not
 * received before. 21000: two senders are the same customer; nothing is done.
 *
 * `plain`: for messages with one identity and no e-mail, file, reaction or word on consent. It is the same statement without what these do
 * not need: a good part of what few messages cost is setting up the plan.
 *
 * Concurrency: all of it sees the snapshot of the statement's start, so a row that a concurrent transaction has just committed can be
 * updated only by INSERT … ON CONFLICT DO UPDATE. That is why customers and conversations are upserted, and why nothing is looked up that
 * decides between insert and update. Locks follow the data, each kind in the order of its key: received message, identity, customer,
 * conversation, organization. Those of the organizations come when all else is written: until the commit nobody else can write to their logs.
 */
export const receiveMessagesSql = ({ plain }: { plain: boolean }): string => `
WITH input AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json) AS m(${columns({ n: 'int', start: 'int', ...ARRIVING, ...(plain ? {} : WHOLE) })})
  WHERE set_config('lock_timeout', $3, true) IS NOT NULL
), gate AS (${insertGate(column, 'FROM input WHERE true')}
), accepted AS MATERIALIZED (
  SELECT input.* FROM input JOIN gate ON channel_account_id = account_id AND external_message_id = external_id
), raw AS (${insertReceipt(column, 'substring($2::bytea FROM start + 1 FOR size)', 'FROM accepted WHERE true')}
), ${plain ? KNOWN_BY_ONE : KNOWN_BY_ANY}, first_identity AS (${insertIdentity(column, 'known_id', 'FROM identified WHERE settled IS NOT TRUE ORDER BY 2, 4, 5, 6')}
), sender AS MATERIALIZED (
  SELECT i.*, coalesce(f.customer_id, i.known_id) AS customer_id
  FROM identified i LEFT JOIN first_identity f USING (organization_id, kind, scope, value)
)${plain ? '' : OTHER_IDENTITIES}, person AS (${upsertCustomer(column, 'customer_id', 'FROM sender ORDER BY 1')}
), thread AS (${upsertConversation(column, 'customer_id', 'FROM sender WHERE (SELECT count(*) FROM person) > 0 ORDER BY 3')}
), placed AS MATERIALIZED (
  SELECT s.*, thread.id AS conversation_id, thread.status_changed_at = s.at AS opens, person.unread_count AS customer_unread,
    thread.unread_count AS conversation_unread
  FROM sender s JOIN person ON person.id = s.customer_id JOIN thread USING (customer_id)
), message AS (${insertCommunication(column, plain ? 'in_reply_to' : ANSWERS, 'FROM placed')}
)${plain ? '' : MORE_ROWS}, happened AS MATERIALIZED (
  SELECT p.n, e.ord, e.type, NULL::jsonb AS data, NULL::uuid AS about
  FROM placed p CROSS JOIN LATERAL (VALUES
    (1, 'CUSTOMER_CREATED', customer_id = new_customer_id),
    (2, 'CONVERSATION_CHANGED', opens),
    (3, 'COMMUNICATION_RECEIVED', inbound),
    (3, 'COMMUNICATION_CREATED', NOT inbound),
    (7, 'UNREAD_COUNT_CHANGED', inbound)
  ) AS e(ord, type, so) WHERE e.so${plain ? '' : MORE_EVENTS}
), total AS MATERIALIZED (
  SELECT organization_id, count(*) AS events, count(*) FILTER (WHERE type = 'UNREAD_COUNT_CHANGED') AS unread
  FROM happened JOIN placed USING (n) GROUP BY organization_id
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
  SELECT bumped.id, base + row_number() OVER earlier, type::"EventType", at, customer_id, conversation_id, coalesce(about, communication_id),
    CASE type
      WHEN 'UNREAD_COUNT_CHANGED' THEN jsonb_build_object('customerUnreadCount', customer_unread, 'conversationUnreadCount', conversation_unread,
        'organizationUnreadCount', unread_before + count(*) FILTER (WHERE type = 'UNREAD_COUNT_CHANGED') OVER earlier)
      WHEN 'CONVERSATION_CHANGED' THEN jsonb_build_object('status', 'OPEN', 'created', conversation_id = new_conversation_id)
      ELSE coalesce(data, '{}') END
  FROM happened JOIN placed USING (n) JOIN bumped ON bumped.id = organization_id
  WINDOW earlier AS (PARTITION BY bumped.id ORDER BY n, ord ROWS UNBOUNDED PRECEDING)
)
SELECT n, communication_id AS "communicationId", conversation_id AS "conversationId", customer_id AS "customerId"${plain ? '' : JOBS}
FROM placed`

const column: Value = (name) => name

const WHOLE = {
  others: 'json',
  consent: 'jsonb',
  consent_ids: 'uuid[]',
  email: 'jsonb',
  parents: 'json',
  token_customer_id: 'uuid',
  token_suggestion_id: 'uuid',
  attachments: 'json',
}

const KNOWN_BY_ONE = `identified AS MATERIALIZED (
  SELECT a.*, i.customer_id AS known_id, i.verified OR NOT a.verified AS settled
  FROM accepted a LEFT JOIN LATERAL (${identityOf((name) => `a.${name}`)}) AS i ON true
)`

/** The first of its identities that is known says who wrote it. */
const KNOWN_BY_ANY = `other AS MATERIALIZED (
  SELECT a.n, a.organization_id, i.ord, (i.item->>'id')::uuid AS id, (i.item->>'kind')::"IdentityKind" AS kind, i.item->>'scope' AS scope,
    i.item->>'value' AS value, (i.item->>'verified')::boolean AS verified, (i.item->>'suggestion_id')::uuid AS suggestion_id
  FROM accepted a, json_array_elements(a.others) WITH ORDINALITY AS i(item, ord)
), known AS MATERIALIZED (
  SELECT DISTINCT ON (g.n) g.n, i.customer_id AS known_id, g.ord = 0 AND (i.verified OR NOT g.verified) AS settled
  FROM (
    SELECT n, 0 AS ord, organization_id, kind, scope, value, verified FROM accepted
    UNION ALL SELECT n, ord, organization_id, kind, scope, value, verified FROM other
  ) AS g CROSS JOIN LATERAL (${identityOf((name) => `g.${name}`)}) AS i
  ORDER BY g.n, g.ord
), identified AS MATERIALIZED (
  SELECT * FROM accepted LEFT JOIN known USING (n)
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
    FROM other o JOIN sender s USING (n) CROSS JOIN LATERAL (${identityOf((name) => `o.${name}`)}) AS i
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
    coalesce((SELECT c.state FROM consent_entry c
      WHERE c.customer_id = p.customer_id AND c.channel = p.channel::"ChannelType" AND c.purpose = u.purpose
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
  SELECT p.n, 6, 'MERGE_SUGGESTED', jsonb_build_object('mergeSuggestionId', s.id, 'otherCustomerId', s.other_customer_id), NULL
  FROM suggestion s JOIN placed p USING (customer_id)`

const JOBS = `,
  (SELECT count(*) FROM jobs)::int AS jobs`

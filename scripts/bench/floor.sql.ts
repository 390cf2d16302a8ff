const globalId = (type: string, id: string): string => `encode(('${type}:' || ${id})::bytea, 'base64')`
const time = (value: string): string => `to_char(${value} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

const conversationRow = `
  ${globalId('Conversation', 'c.id')} AS id, c.channel, c.status, c.unread_count AS "unreadCount", ${time('c.last_activity_at')} AS "lastActivityAt",
  (SELECT row_to_json(w) FROM (SELECT c.channel <> 'WHATSAPP' OR coalesce(c.window_expires_at > now(), false) AS "isOpen",
    CASE WHEN c.channel = 'WHATSAPP' THEN ${time('c.window_expires_at')} END AS "expiresAt") w) AS "messagingWindow",
  (SELECT row_to_json(x) FROM (SELECT ${globalId('Customer', 'id')} AS id, name FROM customer WHERE id = c.customer_id) x) AS customer,
  (SELECT row_to_json(x) FROM (SELECT ${globalId('ChannelAccount', 'id')} AS id, name, address FROM channel_account WHERE id = c.channel_account_id) x)
    AS "channelAccount",
  (SELECT row_to_json(x) FROM (SELECT ${globalId('Member', 'id')} AS id, name FROM member WHERE id = c.assignee_id) x) AS assignee,
  (SELECT row_to_json(x) FROM (SELECT ${globalId('Communication', 'id')} AS id, type, direction, body, delivery_status AS "deliveryStatus",
    ${time('created_at')} AS "createdAt" FROM communication WHERE id = c.last_communication_id) x) AS "lastCommunication"`

/** $1: the organization. What the operation Inbox answers, as one text. */
export const inboxSql = `
  WITH page AS MATERIALIZED (
    SELECT * FROM conversation WHERE organization_id = $1 ORDER BY last_activity_at DESC, id DESC LIMIT 26
  ), shown AS MATERIALIZED (SELECT * FROM page ORDER BY last_activity_at DESC, id DESC LIMIT 25)
  SELECT '{"data":{"conversations":' || row_to_json(connection) || '}}' AS json FROM (
    SELECT (SELECT json_agg(node) FROM (SELECT ${conversationRow} FROM shown c ORDER BY c.last_activity_at DESC, c.id DESC) node) AS nodes,
      (SELECT row_to_json(p) FROM (SELECT (SELECT count(*) > 25 FROM page) AS "hasNextPage",
        (SELECT rtrim(encode(('p1:' || (extract(epoch FROM last_activity_at) * 1000)::bigint || '|' || id)::bytea, 'base64'), '=')
          FROM shown ORDER BY last_activity_at, id LIMIT 1) AS "endCursor") p) AS "pageInfo"
  ) connection`

const cursor = `rtrim(encode(('p1:' || id)::bytea, 'base64'), '=')`

const communicationItem = `
  ${globalId('Communication', 'm.id')} AS id, m.type, m.direction, m.subject, m.body, m.delivery_status AS "deliveryStatus",
  (SELECT row_to_json(f) FROM (SELECT m.failure_code AS code, coalesce(m.failure_message, m.failure_code) AS message
    WHERE m.failure_code IS NOT NULL) f) AS failure,
  m.external_message_id AS "externalMessageId", m.idempotency_key AS "idempotencyKey", m.is_read AS "isRead",
  ${time('m.created_at')} AS "createdAt", ${time('m.sent_at')} AS "sentAt", ${time('m.delivered_at')} AS "deliveredAt",
  ${time('m.read_at')} AS "readAt",
  (SELECT row_to_json(x) FROM (SELECT ${globalId('Member', 'id')} AS id, name FROM member WHERE id = m.author_id) x) AS author,
  coalesce((SELECT json_agg(x) FROM (SELECT ${globalId('Attachment', 'id')} AS id, filename, content_type AS "contentType", size,
    '/attachments/' || id AS url FROM attachment WHERE communication_id = m.id ORDER BY id) x), '[]') AS attachments`

const itsConversation = `(SELECT row_to_json(x) FROM (SELECT ${globalId('Conversation', 'm.conversation_id')} AS id
  WHERE m.conversation_id IS NOT NULL) x) AS conversation`

/** The newest 50, with whether there are more as `more`. */
const newest = (where: string) => `
  page AS MATERIALIZED (SELECT * FROM communication WHERE ${where} AND organization_id = $1 ORDER BY id DESC LIMIT 51),
  shown AS MATERIALIZED (SELECT * FROM page ORDER BY id DESC LIMIT 50)`

const previousPage = `(SELECT row_to_json(p) FROM (SELECT (SELECT count(*) > 50 FROM page) AS "hasPreviousPage",
  (SELECT ${cursor} FROM shown ORDER BY id LIMIT 1) AS "startCursor") p) AS "pageInfo"`

/** $1: the organization, $2: the conversation. What the operation ConversationThread answers, but for signed attachment links. */
export const threadSql = `
  WITH ${newest('conversation_id = $2')}
  SELECT '{"data":{"conversation":' || row_to_json(thread) || '}}' AS json FROM (
    SELECT ${conversationRow}, (SELECT row_to_json(connection) FROM (
      SELECT (SELECT json_agg(edge) FROM (
        SELECT ${cursor} AS cursor, (SELECT row_to_json(node) FROM (SELECT ${communicationItem}) node) AS node FROM shown m ORDER BY m.id
      ) edge) AS edges, ${previousPage}
    ) connection) AS communications
    FROM conversation c WHERE c.id = $2 AND c.organization_id = $1
  ) thread`

/** $1: the organization, $2: the customer. What the operation CustomerWorkspace answers, but for signed attachment links. */
export const customerSql = `
  WITH ${newest('customer_id = $2')}
  SELECT '{"data":{"customer":' || row_to_json(workspace) || '}}' AS json FROM (
    SELECT ${globalId('Customer', 'u.id')} AS id, u.name, u.unread_count AS "unreadCount",
      (SELECT coalesce(json_agg(i), '[]') FROM (SELECT ${globalId('CustomerIdentity', 'id')} AS id, kind, value, verified
        FROM customer_identity WHERE customer_id = u.id ORDER BY id) i) AS identities,
      (SELECT row_to_json(connection) FROM (SELECT (SELECT coalesce(json_agg(node), '[]') FROM (SELECT ${conversationRow} FROM (
        SELECT * FROM conversation WHERE customer_id = u.id AND organization_id = $1 ORDER BY last_activity_at DESC, id DESC LIMIT 10
      ) c ORDER BY c.last_activity_at DESC, c.id DESC) node) AS nodes) connection) AS conversations,
      (SELECT row_to_json(connection) FROM (SELECT (SELECT coalesce(json_agg(node), '[]') FROM (
        SELECT ${communicationItem}, ${itsConversation} FROM shown m ORDER BY m.id) node) AS nodes, ${previousPage}
      ) connection) AS communications
    FROM customer u WHERE u.id = $2 AND u.organization_id = $1
  ) workspace`

/** $1: the organization. What the operation CommunicationsQueue answers, but for signed attachment links. */
export const queueSql = `
  WITH ${newest('true')}
  SELECT '{"data":{"communications":' || row_to_json(connection) || '}}' AS json FROM (
    SELECT (SELECT json_agg(node) FROM (SELECT ${communicationItem},
        (SELECT row_to_json(x) FROM (SELECT ${globalId('Customer', 'id')} AS id, name FROM customer WHERE id = m.customer_id) x) AS customer,
        ${itsConversation} FROM shown m ORDER BY m.id DESC) node) AS nodes,
      (SELECT row_to_json(p) FROM (SELECT (SELECT count(*) > 50 FROM page) AS "hasNextPage",
        (SELECT ${cursor} FROM shown ORDER BY id LIMIT 1) AS "endCursor") p) AS "pageInfo"
  ) connection`

/** $1: the organization. What the operation ChannelStats answers, from what the product keeps. */
export const statsSql = `
  WITH midnight AS (SELECT date_trunc('day', now(), timezone) AS at FROM organization WHERE id = $1), kept AS (
    SELECT channel, quarter, inbound, outbound, unread, failed FROM channel_stat WHERE organization_id = $1
    UNION ALL SELECT channel, quarter, inbound, outbound, unread, failed FROM channel_stat_delta WHERE organization_id = $1
  ), counted AS (
    SELECT channel::text, sum(inbound + outbound)::int AS total, sum(inbound + outbound) FILTER (WHERE quarter >= at)::int AS today,
      sum(inbound)::int AS inbound, sum(outbound)::int AS outbound, sum(unread)::int AS unread, sum(failed)::int AS failed
    FROM kept, midnight GROUP BY channel
  ), connected AS (SELECT DISTINCT channel::text FROM channel_account WHERE organization_id = $1)
  SELECT '{"data":{"channelStats":' || json_agg(stat) || '}}' AS json FROM (
    SELECT channel, coalesce(total, 0) AS total, coalesce(today, 0) AS today, coalesce(inbound, 0) AS inbound,
      coalesce(outbound, 0) AS outbound, coalesce(unread, 0) AS unread, coalesce(failed, 0) AS failed
    FROM counted FULL JOIN connected USING (channel) ORDER BY channel
  ) stat`

/**
 * One durable transaction in the product's own tables. $1: organization, $2: account, $3: message id, $4: raw body, $5: sender, $6: text,
 * $7 to $11: new ids (webhook receipt, identity, customer, conversation, communication).
 */
const received = `
  WITH gate AS (
    INSERT INTO received_message (channel_account_id, external_message_id, organization_id) VALUES ($2, $3, $1)
    ON CONFLICT (channel_account_id, external_message_id) DO NOTHING RETURNING external_message_id
  ), raw AS (
    INSERT INTO webhook_receipt (id, organization_id, channel_account_id, wire, segment, url, headers, body, size, status)
    SELECT $7, $1, $2, 'twilio', 'sms', '', '{}', $4::bytea, length($4::bytea), 'APPLIED' FROM gate RETURNING id
  ), identity AS (
    INSERT INTO customer_identity AS i (id, organization_id, customer_id, kind, value, verified)
    SELECT $8::uuid, $1, $9::uuid, 'PHONE', $5::text, true FROM raw
    ON CONFLICT (organization_id, kind, scope, value) DO UPDATE SET verified = true RETURNING customer_id
  ), person AS (
    INSERT INTO customer (id, organization_id, unread_count) SELECT customer_id, $1, 1 FROM identity
    ON CONFLICT (id) DO UPDATE SET unread_count = customer.unread_count + 1 RETURNING id, unread_count
  ), thread AS (
    INSERT INTO conversation (id, organization_id, customer_id, channel_account_id, channel, address, unread_count, last_communication_id, last_activity_at)
    SELECT $10::uuid, $1, id, $2, 'SMS', $5, 1, $11::uuid, now() FROM person
    ON CONFLICT (customer_id, channel_account_id) DO UPDATE SET unread_count = conversation.unread_count + 1,
      last_communication_id = excluded.last_communication_id, last_activity_at = excluded.last_activity_at
    RETURNING id, customer_id, unread_count
  ), message AS (
    INSERT INTO communication (id, organization_id, customer_id, conversation_id, channel_account_id, type, direction, body, is_read,
      external_message_id, created_at)
    SELECT $11, $1, customer_id, id, $2, 'SMS', 'INBOUND', $6::text, false, $3, now() FROM thread RETURNING id
  )`

/** With an event in a table whose numbers may have gaps. */
export const receiveSql = `${received}
  INSERT INTO bench.event (organization_id, communication_id) SELECT $1, id FROM message`

/** The same parameters; with the organization's counters and the two events of the product's log, numbered without gaps. */
export const receiveAllSql = `${received}, counted AS (
    UPDATE organization SET event_seq = event_seq + 2, unread_count = organization.unread_count + 1 FROM message, person, thread
    WHERE organization.id = $1
    RETURNING event_seq - 1 AS seq, person.id AS customer_id, thread.id AS conversation_id, message.id AS communication_id,
      jsonb_build_object('customerUnreadCount', person.unread_count, 'conversationUnreadCount', thread.unread_count,
        'organizationUnreadCount', organization.unread_count) AS counts
  )
  INSERT INTO event (organization_id, seq, type, occurred_at, customer_id, conversation_id, communication_id, data)
  SELECT $1, seq, 'COMMUNICATION_RECEIVED'::"EventType", now(), customer_id, conversation_id, communication_id, '{}'::jsonb FROM counted
  UNION ALL
  SELECT $1, seq + 1, 'UNREAD_COUNT_CHANGED', now(), customer_id, conversation_id, communication_id, counts FROM counted`

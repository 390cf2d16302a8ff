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

/** The names of $3 and what follows. */
export const ONE_MESSAGE = Object.keys(ARRIVING) as (keyof typeof ARRIVING)[]

const parameter: Value = (name) => `$${ONE_MESSAGE.indexOf(name) + 3}::${ARRIVING[name]}`

/**
 * As `receiveMessagesSql({ plain: true })`, for a message that is alone: a list of one costs PostgreSQL twice as much, most of it to set up the
 * plan. $1: milliseconds to wait for any lock; $2: the body of the webhook; then `ONE_MESSAGE`.
 */
export const receiveOneSql = `
WITH gate AS (${insertGate(parameter, "WHERE set_config('lock_timeout', $1, true) IS NOT NULL")}
), raw AS (${insertReceipt(parameter, '$2::bytea', 'FROM gate WHERE true')}
), known AS MATERIALIZED (
  SELECT customer_id, verified OR NOT ${parameter('verified')} AS settled FROM (${identityOf(parameter)}) AS i
), first_identity AS (${insertIdentity(parameter, '(SELECT customer_id FROM known)', 'FROM gate WHERE (SELECT settled FROM known) IS NOT TRUE')}
), person AS (${upsertCustomer(parameter, 'coalesce((SELECT customer_id FROM first_identity), (SELECT customer_id FROM known))', 'FROM gate')}
), thread AS (${upsertConversation(parameter, 'id', 'FROM person')}
), placed AS MATERIALIZED (
  SELECT customer_id, thread.id AS conversation_id, person.unread_count AS customer_unread, thread.unread_count AS conversation_unread,
    (customer_id = ${parameter('new_customer_id')})::int AS created, (status_changed_at = ${parameter('at')})::int AS opens,
    ${parameter('inbound')}::int AS unread
  FROM person, thread
), message AS (${insertCommunication(parameter, parameter('in_reply_to'), 'FROM placed')}
), bumped AS (
  UPDATE organization SET event_seq = event_seq + created + opens + 1 + unread, unread_count = unread_count + unread
  FROM placed WHERE id = ${parameter('organization_id')} AND (SELECT count(*) FROM message) + (SELECT count(*) FROM raw) > 0
  RETURNING placed.*, event_seq - created - opens - 1 - unread AS base, unread_count AS organization_unread
), logged AS (
  INSERT INTO event (organization_id, seq, type, occurred_at, customer_id, conversation_id, communication_id, data)
  SELECT ${parameter('organization_id')}, base + e.place, e.type::"EventType", ${parameter('at')}, customer_id, conversation_id,
    ${parameter('communication_id')}, CASE e.type
      WHEN 'UNREAD_COUNT_CHANGED' THEN jsonb_build_object('customerUnreadCount', customer_unread, 'conversationUnreadCount', conversation_unread,
        'organizationUnreadCount', organization_unread)
      WHEN 'CONVERSATION_CHANGED' THEN jsonb_build_object('status', 'OPEN', 'created', conversation_id = ${parameter('new_conversation_id')})
      ELSE '{}' END
  FROM bumped CROSS JOIN LATERAL (VALUES
    (created, 'CUSTOMER_CREATED', created > 0),
    (created + opens, 'CONVERSATION_CHANGED', opens > 0),
    (created + opens + 1, CASE WHEN unread > 0 THEN 'COMMUNICATION_RECEIVED' ELSE 'COMMUNICATION_CREATED' END, true),
    (created + opens + 2, 'UNREAD_COUNT_CHANGED', unread > 0)
  ) AS e(place, type, so) WHERE e.so
)
SELECT ${parameter('communication_id')} AS "communicationId", conversation_id AS "conversationId", customer_id AS "customerId" FROM placed`

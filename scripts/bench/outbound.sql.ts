/** An organization of its own that sends: $1 its slug, $2 the one whose credentials it shares. */
export const sendingOrganizationSql = `
  WITH made AS (
    INSERT INTO organization (id, slug, name) VALUES (gen_random_uuid(), $1, $1) RETURNING id
  )
  INSERT INTO channel_account (id, organization_id, channel, provider, name, address, status, credentials, credentials_key)
  SELECT gen_random_uuid(), made.id, 'WHATSAPP', 'TWILIO', 'WhatsApp', '+15005550020', 'ACTIVE', a.credentials, a.credentials_key
  FROM made, channel_account a JOIN organization o ON o.id = a.organization_id WHERE o.slug = $2 AND a.channel = 'WHATSAPP'`

/** $1: the slug, $2: how many customers, each with a conversation whose messaging window is open. */
export const sendingCustomersSql = `
  WITH place AS (
    SELECT o.id AS organization, a.id AS account FROM organization o JOIN channel_account a ON a.organization_id = o.id WHERE o.slug = $1
  ), numbered AS MATERIALIZED (
    SELECT gen_random_uuid() AS customer, '+90530' || lpad(n::text, 7, '0') AS number FROM generate_series(1, $2::int) AS n
  ), people AS (
    INSERT INTO customer (id, organization_id, name) SELECT customer, organization, number FROM numbered, place
  ), identities AS (
    INSERT INTO customer_identity (id, organization_id, customer_id, kind, value, verified)
    SELECT gen_random_uuid(), organization, customer, 'PHONE', number, true FROM numbered, place
  )
  INSERT INTO conversation (id, organization_id, customer_id, channel_account_id, channel, address, window_expires_at, window_reason,
    last_inbound_at, last_activity_at)
  SELECT gen_random_uuid(), organization, customer, account, 'WHATSAPP', number, now() + interval '1 day', 'CUSTOMER_MESSAGE', now(), now()
  FROM numbered, place`

/** What a run before has left of it; $1: its slug. */
export const removeSendingSql = ['event', 'communication', 'conversation', 'customer_identity', 'customer', 'channel_account']
  .map((table) => `DELETE FROM ${table} WHERE organization_id = (SELECT id FROM organization WHERE slug = $1)`)
  .concat('DELETE FROM organization WHERE slug = $1')

/**
 * The floor of an accepted send: one durable statement in the product's own tables, an event whose number may have gaps, and the job.
 * $1: conversation, $2: the new communication's id, $3: text. Nothing is checked or refused. Gives what the operation SendMessage answers.
 */
export const sendSql = `
  WITH thread AS (
    UPDATE conversation SET outbound_count = outbound_count + 1, last_communication_id = greatest(last_communication_id, $2::uuid),
      last_activity_at = now()
    WHERE id = $1 RETURNING *
  ), message AS (
    INSERT INTO communication (id, organization_id, customer_id, conversation_id, channel_account_id, type, direction, body, delivery_status,
      address, created_at)
    SELECT $2, organization_id, customer_id, id, channel_account_id, channel::text::"CommunicationType", 'OUTBOUND', $3::text, 'PENDING', address, now()
    FROM thread RETURNING *
  ), logged AS (
    INSERT INTO bench.event (organization_id, communication_id) SELECT organization_id, id FROM message
  ), job AS MATERIALIZED (
    SELECT graphile_worker.add_job('deliver', json_build_object('communicationId', id), queue_name := 'deliver:' || ('x' || right(conversation_id::text, 4))::bit(16)::int % 1024)
    FROM message
  )
  SELECT json_build_object('id', id, 'type', type, 'direction', direction, 'body', body, 'deliveryStatus', delivery_status,
    'createdAt', created_at, 'conversation', conversation_id) AS json FROM message, job`

/** What is left of a measurement before is not sent any more. $1: the slug. */
export const withdrawSql = `
  WITH jobs AS (DELETE FROM graphile_worker._private_jobs WHERE locked_at IS NULL)
  UPDATE communication SET delivery_status = 'CANCELED'
  WHERE organization_id = (SELECT id FROM organization WHERE slug = $1) AND delivery_status = 'PENDING' AND attempt_started_at IS NULL`

/** Messages to be sent, with their jobs. $1: the slug, $2: how many. */
export const backlogSql = `
  WITH thread AS MATERIALIZED (
    SELECT c.*, row_number() OVER (ORDER BY c.id) - 1 AS n, count(*) OVER () AS total
    FROM conversation c JOIN organization o ON o.id = c.organization_id WHERE o.slug = $1
  ), message AS (
    INSERT INTO communication (id, organization_id, customer_id, conversation_id, channel_account_id, type, direction, body, delivery_status,
      address, created_at)
    SELECT uuidv7(), organization_id, customer_id, id, channel_account_id, 'WHATSAPP', 'OUTBOUND', 'Your order has left our warehouse.', 'PENDING',
      address, now()
    FROM generate_series(0, $2::int - 1) AS m JOIN thread ON thread.n = m % thread.total
    RETURNING id, conversation_id, channel_account_id
  )
  SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
    SELECT ROW('deliver', json_build_object('communicationId', id), 'deliver:' || ('x' || right(conversation_id::text, 4))::bit(16)::int % 1024, now(), 25, NULL, NULL,
      ARRAY['account:' || channel_account_id])::graphile_worker.job_spec FROM message))`

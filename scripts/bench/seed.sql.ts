/** UUIDv7-shaped: ids of later times sort behind; the organization's number and `n` make them unique. */
const idAt = (ms: string, n: string): string =>
  `(lpad(to_hex(${ms}), 12, '0') || '7' || lpad(to_hex(${n} % 4096), 3, '0') || '8' || lpad(to_hex(:organization), 3, '0') ||
    lpad(to_hex(${n}), 12, '0'))::uuid`

const oneOf = (words: string[], n: string): string =>
  `(ARRAY[${words.map((word) => `'${word}'`).join(',')}])[(1 + (${n}) % ${words.length})::int]`

const FIRST = [
  'Ada',
  'Mehmet',
  'Ayşe',
  'John',
  'Maria',
  'Chen',
  'Fatma',
  'Olga',
  'Samuel',
  'Nadia',
  'Ravi',
  'Elif',
  'Peter',
  'Zeynep',
  'Luca',
  'Ingrid',
  'Omar',
]
const LAST = [
  'Yılmaz',
  'Kaya',
  'Smith',
  'Garcia',
  'Wang',
  'Demir',
  'Ivanova',
  'Okafor',
  'Haddad',
  'Patel',
  'Şahin',
  'Novak',
  'Rossi',
  'Berg',
  'Aydın',
  'Costa',
  'Weber',
  'Haas',
  'Arslan',
]
const OPENINGS = [
  'Hello,',
  'Hi there,',
  'Good morning,',
  'Dear team,',
  'Thanks,',
  'One more thing:',
  'Sorry,',
  'Please note:',
  'Quick question:',
  'As agreed,',
  'Again:',
]
const TOPICS = [
  'is my permit ready for pick-up',
  'the invoice of last month is still open',
  'can the appointment be moved to Thursday',
  'the form was sent yesterday by e-mail',
  'your parcel arrives between nine and eleven',
  'the technician could not find the address',
  'we have received the documents and will check them',
  'the price in the offer is not the one on the website',
  'my number has changed, please write to this one',
  'the second payment did not go through',
  'which papers do I have to bring along',
  'everything is fine now',
  'the repair takes three more days than expected',
]
const ENDINGS = ['?', '.', ', is that right?', ', thank you.', ', please call me back.', ', see you then!', '.']

// A prime beyond every number of conversations, so that each rank comes once.
const SHUFFLE = 10_000_019

/** 1, 2, … to 2000 communications a conversation, Pareto-distributed: few are very long, most have one; 8 on average. */
const LENGTHS = `least(2000, ceil(0.88 * :conversations / CASE WHEN :deep = 1 THEN i ELSE i * ${SHUFFLE} % :conversations + 1 END))::int`

/** `now`: the start of the seeding in milliseconds; `deep`: 1 for the longest conversations on top of the inbox, 0 for any order. */
type Values = { organization: number; conversations: number; customers: number; now: number; deep: 0 | 1 }

/** Fill the organization of bench.place; its conversation i is the i-th of the inbox. */
export const seedStatements = (values: Values): [what: string, sql: string][] =>
  statements.map(([what, sql]) => [
    what,
    sql.replace(/(?<!:):(organization|conversations|customers|now|deep)\b/g, (_match, name: keyof Values) => `${values[name]}::bigint`),
  ])

const statements: [string, string][] = [
  [
    'plan',
    `DROP TABLE IF EXISTS bench.plan; CREATE UNLOGGED TABLE bench.plan AS
    SELECT i, (i - 1) % :customers + 1 AS customer, ((i - 1) % :customers + (i - 1) / :customers) % 2 = 0 AS by_sms, ${LENGTHS} AS length,
      :now - i * 30000 AS last_ms, ${idAt(':now - 20000000000 + i', 'i')} AS id
    FROM generate_series(1, :conversations) AS i`,
  ],
  [
    'customers',
    `INSERT INTO customer (id, organization_id, name, created_at)
    SELECT ${idAt(':now - 20000000000 + n', 'n')}, (SELECT organization FROM bench.place), ${oneOf(FIRST, 'n')} || ' ' || ${oneOf(LAST, 'n / 17')},
      to_timestamp((:now - 20000000000 + n) / 1000.0) FROM generate_series(1, :customers) AS n`,
  ],
  [
    'identities',
    `INSERT INTO customer_identity (id, organization_id, customer_id, kind, value, verified)
    SELECT ${idAt(':now - 20000000000 + n', 'n')}, (SELECT organization FROM bench.place), ${idAt(':now - 20000000000 + n', 'n')}, 'PHONE',
      '+9054' || lpad(n::text, 8, '0'), true FROM generate_series(1, :customers) AS n`,
  ],
  [
    'communications',
    `INSERT INTO communication (id, organization_id, customer_id, conversation_id, channel_account_id, type, direction, body, is_read, author_id,
      delivery_status, failure_code, failure_message, address, external_message_id, attempts, sent_at, delivered_at, read_at, created_at)
    SELECT id, place.organization, ${idAt(':now - 20000000000 + customer', 'customer')}, conversation,
      CASE WHEN kind = 'note' THEN NULL WHEN by_sms THEN place.sms ELSE place.whatsapp END,
      (CASE WHEN kind = 'note' THEN 'INTERNAL_NOTE' WHEN by_sms THEN 'SMS' ELSE 'WHATSAPP' END)::"CommunicationType",
      (CASE kind WHEN 'note' THEN 'INTERNAL' WHEN 'in' THEN 'INBOUND' ELSE 'OUTBOUND' END)::"Direction",
      ${oneOf(OPENINGS, 'n')} || ' ' || ${oneOf(TOPICS, 'n / 11')} || ${oneOf(ENDINGS, 'n / 143')} || ' (' || n || ')',
      read,
      CASE WHEN kind <> 'in' THEN place.members[(1 + n % 8)::int] END,
      (CASE WHEN kind = 'out' THEN CASE WHEN n % 100 = 0 THEN 'FAILED' WHEN by_sms THEN 'DELIVERED' ELSE 'READ' END END)::"DeliveryStatus",
      CASE WHEN kind = 'out' AND n % 100 = 0 THEN '30003' END,
      CASE WHEN kind = 'out' AND n % 100 = 0 THEN 'The phone could not be reached.' END,
      CASE WHEN kind = 'out' THEN '+9054' || lpad(customer::text, 8, '0') END,
      CASE WHEN kind <> 'note' THEN 'SM' || md5(n::text) END,
      CASE WHEN kind = 'out' THEN 1 ELSE 0 END,
      CASE WHEN kind = 'out' AND n % 100 <> 0 THEN at + interval '1 s' END,
      CASE WHEN kind = 'out' AND n % 100 <> 0 THEN at + interval '2 s' END,
      CASE WHEN kind = 'out' AND n % 100 <> 0 AND NOT by_sms OR kind = 'in' AND read THEN at + interval '9 s' END,
      at
    FROM (
      SELECT *, ${idAt('ms', 'n')} AS id, to_timestamp(ms / 1000.0) AS at, kind <> 'in' OR k > 3 OR i % 4 <> 0 AS read
      FROM (
        SELECT p.id AS conversation, p.i, p.customer, p.by_sms, k, last_ms - (k - 1) * 3600000 AS ms,
          row_number() OVER (ORDER BY last_ms - (k - 1) * 3600000, p.i) AS n,
          CASE WHEN k % 40 = 2 THEN 'note' WHEN (k + i) % 2 = 0 THEN 'in' ELSE 'out' END AS kind
        FROM bench.plan p, generate_series(1::bigint, p.length) AS k
      ) numbered
    ) message, bench.place
    ORDER BY n`,
  ],
  [
    'attachments',
    `INSERT INTO attachment (id, organization_id, communication_id, filename, content_type, size, status, source_url, storage_key)
    SELECT id, organization_id, id, 'photo.jpg', 'image/jpeg', 120000, 'STORED', 'https://api.twilio.com/media', 'bench'
    FROM communication WHERE organization_id = (SELECT organization FROM bench.place) AND direction = 'INBOUND' AND hashtext(body) % 20 = 0`,
  ],
  [
    'conversations',
    `INSERT INTO conversation (id, organization_id, customer_id, channel_account_id, channel, address, status, assignee_id, unread_count,
      inbound_count, outbound_count, window_expires_at, window_reason, last_inbound_at, last_communication_id, last_activity_at, created_at)
    SELECT p.id, place.organization, ${idAt(':now - 20000000000 + customer', 'customer')}, CASE WHEN by_sms THEN place.sms ELSE place.whatsapp END,
      (CASE WHEN by_sms THEN 'SMS' ELSE 'WHATSAPP' END)::"ChannelType", '+9054' || lpad(customer::text, 8, '0'),
      (CASE i % 10 WHEN 8 THEN 'CLOSED' WHEN 9 THEN 'SNOOZED' ELSE 'OPEN' END)::"ConversationStatus",
      CASE WHEN i % 3 = 0 THEN place.members[(1 + i % 8)::int] END, said.unread, said.inbound, said.outbound,
      CASE WHEN NOT by_sms THEN to_timestamp(said.last_inbound / 1000.0) + interval '1 day' END,
      CASE WHEN said.inbound > 0 THEN 'CUSTOMER_MESSAGE'::"WindowReason" END, to_timestamp(said.last_inbound / 1000.0),
      said.last_id, to_timestamp(last_ms / 1000.0), to_timestamp((:now - 20000000000 + i) / 1000.0)
    FROM bench.plan p JOIN (
      SELECT conversation_id, max(id::text)::uuid AS last_id, count(*) FILTER (WHERE NOT is_read) AS unread,
        count(*) FILTER (WHERE direction = 'INBOUND') AS inbound, count(*) FILTER (WHERE direction = 'OUTBOUND') AS outbound,
        max(extract(epoch FROM created_at) * 1000) FILTER (WHERE direction = 'INBOUND') AS last_inbound
      FROM communication WHERE organization_id = (SELECT organization FROM bench.place) GROUP BY conversation_id
    ) said ON said.conversation_id = p.id, bench.place ORDER BY p.i DESC`,
  ],
  [
    // Every twentieth customer has said STOP, half of those START again.
    'consents',
    `INSERT INTO consent_entry (id, organization_id, customer_id, channel, purpose, state, source, evidence, occurred_at)
    SELECT ${idAt(':now - 10000000000 + n', 'n * 4 + kind')}, (SELECT organization FROM bench.place), ${idAt(':now - 20000000000 + n', 'n')}, 'SMS',
      (CASE WHEN kind % 2 = 0 THEN 'TRANSACTIONAL' ELSE 'MARKETING' END)::"MessagePurpose",
      (CASE WHEN kind < 2 THEN 'OPTED_OUT' ELSE 'OPTED_IN' END)::"ConsentState", 'KEYWORD', CASE WHEN kind < 2 THEN 'STOP' ELSE 'START' END,
      to_timestamp((:now - 10000000000 + n + kind) / 1000.0)
    FROM generate_series(20, :customers, 20) AS n, generate_series(0, CASE WHEN n % 40 = 0 THEN 3 ELSE 1 END) AS kind`,
  ],
  [
    'counters',
    `UPDATE customer SET unread_count = total.unread
    FROM (SELECT customer_id, sum(unread_count) AS unread FROM conversation
      WHERE organization_id = (SELECT organization FROM bench.place) AND unread_count > 0 GROUP BY customer_id) total
    WHERE customer.id = total.customer_id`,
  ],
  [
    'events',
    `INSERT INTO event (organization_id, seq, type, occurred_at, actor_id, customer_id, conversation_id, communication_id)
    SELECT organization_id, row_number() OVER (ORDER BY id), (CASE direction WHEN 'INBOUND' THEN 'COMMUNICATION_RECEIVED' ELSE 'COMMUNICATION_CREATED' END)::"EventType",
      created_at, author_id, customer_id, conversation_id, id
    FROM communication WHERE organization_id = (SELECT organization FROM bench.place)`,
  ],
  [
    'organization',
    `UPDATE organization SET event_seq = (SELECT max(seq) FROM event WHERE organization_id = organization.id),
      unread_count = (SELECT sum(unread_count) FROM customer WHERE organization_id = organization.id)
    WHERE id = (SELECT organization FROM bench.place)`,
  ],
  [
    // As the triggers would have kept them.
    'statistics of channels',
    `INSERT INTO channel_stat (organization_id, channel, quarter, inbound, outbound, unread, failed)
    SELECT organization_id, type::text::"ChannelType",
      CASE WHEN created_at < now() - interval '26 hours' THEN '-infinity' ELSE date_bin('15 minutes', created_at, 'epoch') END,
      count(*) FILTER (WHERE direction = 'INBOUND'), count(*) FILTER (WHERE direction = 'OUTBOUND'), count(*) FILTER (WHERE NOT is_read),
      count(*) FILTER (WHERE delivery_status = 'FAILED')
    FROM communication WHERE organization_id = (SELECT organization FROM bench.place) AND type <> 'INTERNAL_NOTE' GROUP BY 1, 2, 3`,
  ],
]

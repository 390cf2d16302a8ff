-- Written by hand: what Prisma's schema cannot say.

-- The unread filter of the inbox and of the global queue, and the failures that statistics count.
create index conversation_unread on conversation (organization_id, last_activity_at desc, id desc) where unread_count > 0;
create index communication_unread on communication (organization_id, id desc) where is_read = false;
create index communication_failed on communication (organization_id, type) where delivery_status = 'FAILED';

-- Text search finds any part of a word, in any language, without a dictionary.
create extension if not exists pg_trgm;
create index communication_body_trgm on communication using gin (body gin_trgm_ops);
create index communication_subject_trgm on communication using gin (subject gin_trgm_ops) where subject is not null;
create index customer_name_trgm on customer using gin (name gin_trgm_ops);
create index customer_identity_value_trgm on customer_identity using gin (value gin_trgm_ops);

-- Room on the page keeps updates of counters from touching the indexes (heap-only tuples).
alter table organization set (fillfactor = 85);
alter table customer set (fillfactor = 85);
alter table conversation set (fillfactor = 85);

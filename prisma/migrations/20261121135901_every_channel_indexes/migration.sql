-- Written by hand: what Prisma's schema cannot say.

-- Few messages answer or react to another one.
create index communication_in_reply_to on communication (channel_account_id, in_reply_to) where in_reply_to is not null;
-- Timelines and old ids lead from the merged to the survivor.
create index customer_merged on customer (merged_into_id) where merged_into_id is not null;
create index conversation_merged on conversation (merged_into_id) where merged_into_id is not null;
-- Uploads that were never sent are looked for by age.
create index attachment_unsent on attachment (created_at) where communication_id is null;

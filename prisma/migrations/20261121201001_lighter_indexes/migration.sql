-- Written by hand: what Prisma's schema cannot say.

-- Most messages come in and have no key.
create unique index communication_idempotency_key on communication (organization_id, idempotency_key) where idempotency_key is not null;
-- What came in and could not be applied is looked for among what could.
create index webhook_receipt_not_applied on webhook_receipt (organization_id, id desc) where status <> 'APPLIED';
-- What is old enough to be deleted lies together: a summary of its pages costs a message nothing.
alter index webhook_receipt_received_at_idx set (autosummarize = on);
alter index received_message_received_at_idx set (autosummarize = on);
-- Statistics do not count failures any more.
drop index communication_failed;

-- Written by hand: what Prisma's schema cannot say.

-- What came in and could not be applied is looked for among what could.
create index webhook_receipt_not_applied on webhook_receipt (organization_id, id desc) where status <> 'APPLIED';
-- Statistics do not count failures any more.
drop index communication_failed;

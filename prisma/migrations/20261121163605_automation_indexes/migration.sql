-- Written by hand: what Prisma's schema cannot say.

-- One message a run; few messages have one.
create unique index communication_automation_run on communication (automation_run_id) where automation_run_id is not null;
-- The list of scheduled messages.
create index communication_scheduled on communication (organization_id, send_at, id) where delivery_status = 'SCHEDULED';

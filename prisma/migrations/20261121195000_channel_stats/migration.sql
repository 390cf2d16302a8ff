-- CreateTable
CREATE TABLE "channel_stat" (
    "organization_id" UUID NOT NULL,
    "channel" "ChannelType" NOT NULL,
    "quarter" TIMESTAMPTZ(3) NOT NULL,
    "inbound" INTEGER NOT NULL,
    "outbound" INTEGER NOT NULL,
    "unread" INTEGER NOT NULL,
    "failed" INTEGER NOT NULL,

    CONSTRAINT "channel_stat_pkey" PRIMARY KEY ("organization_id","channel","quarter")
);

-- CreateTable
CREATE TABLE "channel_stat_delta" (
    "organization_id" UUID NOT NULL,
    "id" BIGSERIAL NOT NULL,
    "channel" "ChannelType" NOT NULL,
    "quarter" TIMESTAMPTZ(3) NOT NULL,
    "inbound" INTEGER NOT NULL,
    "outbound" INTEGER NOT NULL,
    "unread" INTEGER NOT NULL,
    "failed" INTEGER NOT NULL,

    CONSTRAINT "channel_stat_delta_pkey" PRIMARY KEY ("organization_id","id")
);

-- Written by hand from here on.

-- The job that adds up rewrites these rows and empties that table every minute.
alter table channel_stat set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
alter table channel_stat_delta set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 1000000);

-- One row for each message, not added up: that would cost a plain message, which comes alone, twice as much.
create function append_channel_stats() returns trigger language plpgsql as $$
declare
  sign constant integer := case tg_op when 'DELETE' then -1 else 1 end;
begin
  insert into channel_stat_delta (organization_id, channel, quarter, inbound, outbound, unread, failed)
  select organization_id, type::text::"ChannelType", date_bin('15 minutes', created_at, 'epoch'), sign * (direction = 'INBOUND')::integer,
    sign * (direction = 'OUTBOUND')::integer, sign * (not is_read)::integer, sign * (delivery_status is not distinct from 'FAILED')::integer
  from changed where type not in ('INTERNAL_NOTE', 'CALL_LOG');
  return null;
end $$;

create trigger channel_stats_insert after insert on communication referencing new table as changed
  for each statement execute function append_channel_stats();
create trigger channel_stats_delete after delete on communication referencing old table as changed
  for each statement execute function append_channel_stats();

-- Most updates change nothing that is counted: the condition is far cheaper than a function that finds out.
create function append_channel_stats_change() returns trigger language plpgsql as $$
begin
  insert into channel_stat_delta (organization_id, channel, quarter, inbound, outbound, unread, failed)
  select organization_id, type::text::"ChannelType", date_bin('15 minutes', created_at, 'epoch'), sign * (direction = 'INBOUND')::integer,
    sign * (direction = 'OUTBOUND')::integer, sign * (not is_read)::integer, sign * (delivery_status is not distinct from 'FAILED')::integer
  from (values
    (-1, old.organization_id, old.type, old.created_at, old.direction, old.is_read, old.delivery_status),
    (1, new.organization_id, new.type, new.created_at, new.direction, new.is_read, new.delivery_status)
  ) as changed(sign, organization_id, type, created_at, direction, is_read, delivery_status)
  where type not in ('INTERNAL_NOTE', 'CALL_LOG');
  return null;
end $$;

create trigger channel_stats_update after update on communication for each row
  when (old.is_read <> new.is_read or (old.delivery_status is not distinct from 'FAILED') <> (new.delivery_status is not distinct from 'FAILED')
    or (old.organization_id, old.type, old.direction, old.created_at) is distinct from (new.organization_id, new.type, new.direction, new.created_at))
  execute function append_channel_stats_change();

-- The triggers' lock on the table keeps writers out until the end of the migration. The first fold gathers the quarters that are over.
insert into channel_stat (organization_id, channel, quarter, inbound, outbound, unread, failed)
select organization_id, type::text::"ChannelType",
  case when created_at < now() - interval '2 days' then '-infinity' else date_bin('15 minutes', created_at, 'epoch') end,
  count(*) filter (where direction = 'INBOUND'), count(*) filter (where direction = 'OUTBOUND'), count(*) filter (where not is_read),
  count(*) filter (where delivery_status = 'FAILED')
from communication where type not in ('INTERNAL_NOTE', 'CALL_LOG')
group by 1, 2, 3;

-- Orders that have been silent for too long. How long is too long is learned: the time that 95 of 100 items of the
-- same product stayed in the same sub-status, with a floor for where the feed has shown little yet.

-- Small, and the same on every node: a reference table. Learned anew by the service from time to time.
create table silence_norm (
    offering_id text not null,
    sub_status text not null,
    p95 interval not null,
    periods bigint not null,
    constraint silence_norm_pk primary key (offering_id, sub_status)
);

create index product_order_open on product_order (last_event_at)
    where lower(state) not in ('completed', 'failed', 'cancelled', 'rejected', 'partial');

create view analytics.silent_orders as
select o.order_key, o.sender, o.order_id, o.last_event_at, l.allowed, o.last_event_at + l.allowed as since
from product_order o
cross join lateral (
    select greatest(interval '7 days', max(n.p95)) as allowed
    from product_order_item i
    join silence_norm n on n.offering_id = i.offering_id and n.sub_status = i.sub_status
    where i.order_key = o.order_key and lower(i.state) not in ('completed', 'failed', 'cancelled', 'rejected')
) l
where lower(o.state) not in ('completed', 'failed', 'cancelled', 'rejected', 'partial')
  and o.last_event_at < now() - interval '7 days' and o.last_event_at < now() - l.allowed;
comment on view analytics.silent_orders is 'An order that goes on but has been silent for longer than its like.';
comment on column analytics.silent_orders.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.silent_orders.sender is 'The supplier that posts the order''s events.';
comment on column analytics.silent_orders.order_id is 'The supplier''s order id; text, zero-padded.';
comment on column analytics.silent_orders.last_event_at is 'Time of the latest event.';
comment on column analytics.silent_orders.allowed is 'How long its items usually stay as they are: the 95th percentile of the feed''s own history, 7 days at least.';
comment on column analytics.silent_orders.since is 'Since when it is silent for too long.';

create or replace view analytics.attention as
select a.order_key, o.sender, o.order_id, a.reason, a.since, a.why
from attention a
join product_order o on o.order_key = a.order_key
union all
select s.order_key, s.sender, s.order_id, 'silent', s.since,
       'Nothing heard since ' || to_char(s.last_event_at at time zone 'Europe/London', 'FMDD Mon YYYY') || '; the usual is '
       || ceil(extract(epoch from s.allowed) / 86400) || ' days'
from analytics.silent_orders s;
comment on column analytics.attention.reason is
    'action-needed, access-failed, missed, flagged, delayed, supplier-cancelled, contradiction or silent.';

do $$
begin
    if exists (select from pg_roles where rolname = 'order_timeline_analyst') then
        grant select on all tables in schema analytics to order_timeline_analyst;
    end if;
end
$$;

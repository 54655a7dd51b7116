-- When nothing more is expected, in one place. The program says the same (src/order/state.rs, src/order/attention.rs).
create function has_ended(state text) returns boolean
language sql immutable parallel safe
return compared(state) in ('completed', 'failed', 'cancelled', 'rejected');
comment on function has_ended(text) is 'Of an item''s state, in any spelling: nothing more is expected of the item.';

create function is_over(state text) returns boolean
language sql immutable parallel safe
return compared(state) in ('completed', 'failed', 'cancelled', 'rejected', 'partial');
comment on function is_over(text) is 'Of an order''s state, in any spelling: nothing more is expected of the order.';

-- An order whose last event is dated ahead of its receipt is silent from its receipt on: by the event of a year to come it
-- never would be.
create or replace view analytics.silent_orders as
select o.order_key, o.sender, o.order_id, o.last_event_at, l.allowed, m.moved_at + l.allowed as since, m.moved_at
from product_order o
cross join lateral (select least(o.last_event_at, o.last_received_at) as moved_at) m
cross join lateral (
    select greatest(interval '7 days', max(n.p95)) as allowed
    from product_order_item i
    join silence_norm n on n.offering_id = coalesce(i.offering_id, '') and n.compared = compared(i.sub_status)
        and n.periods >= 20
    where i.order_key = o.order_key and not has_ended(i.state)
) l
where not is_over(o.state) and m.moved_at < now() - interval '7 days' and m.moved_at < now() - l.allowed;
comment on column analytics.silent_orders.moved_at is
    'When it was heard of last: the time of the latest event, or when that was received where that is earlier.';

create or replace view analytics.attention as
select a.order_key, o.sender, o.order_id, a.reason, a.since, a.why
from attention a
join product_order o on o.order_key = a.order_key
union all
select s.order_key, s.sender, s.order_id, 'silent', s.since,
       'Nothing heard since ' || to_char(s.moved_at at time zone 'Europe/London', 'FMDD Mon YYYY') || '; the usual is '
       || ceil(extract(epoch from s.allowed) / 86400) || ' days'
from analytics.silent_orders s;

drop index product_order_open;
create index product_order_open on product_order ((least(last_event_at, last_received_at)), order_key)
    where not is_over(state);

-- States of lists compare as all else does.
drop index product_order_by_state;
create index product_order_by_state on product_order
    (compared(state), (least(last_event_at, last_received_at)), order_key);

-- Orders of an offering that few have. An item's offering hardly ever changes, so that it costs updates nothing.
create index product_order_item_by_offering on product_order_item (compared(offering_id), order_key);

do $$
begin
    if exists (select from pg_roles where rolname = 'order_timeline_analyst') then
        grant execute on function has_ended(text), is_over(text) to order_timeline_analyst;
    end if;
end
$$;

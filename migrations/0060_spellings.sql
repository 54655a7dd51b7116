-- Values compare without case, spaces and punctuation for analysts, too, as they do in the fold.

-- The form in which values compare; the program says the same (src/order/spelling.rs). Of letters beyond ASCII the
-- database's locale decides which are letters: codes and offerings have none.
create function compared(value text) returns text
language sql immutable strict parallel safe
return regexp_replace(lower(value), '[^[:alnum:]]', '', 'g');

create or replace view analytics.order_items as
select i.order_key, o.sender, o.order_id, i.item_id, i.parent_item_id, i.internal_id, i.action, i.state, i.sub_status,
       i.product_id, i.offering_id, v.words as offering, i.service_id, i.expected_completion, i.expected_completion_text,
       i.appointment_id, i.appointment_reference, i.appointment_status, i.appointment_start, i.appointment_finish,
       i.characteristics, i.first_expected, i.first_completed
from product_order_item i
left join product_order o on o.order_key = i.order_key
left join vocabulary v on v.subject = 'offering' and v.compared = compared(i.offering_id);

create or replace view analytics.messages as
select p.order_key, o.sender, o.order_id, e.item_ids, p.at, e.message ->> 'code' as sub_code, p.part::bigint as part,
       case when p.part > 0 then e.message #>> array['parts', (p.part - 1)::text, 'severity'] end as severity, p.value as code,
       case when p.part > 0 then e.message #>> array['parts', (p.part - 1)::text, 'text'] end as text,
       v.words as meaning, v.classes, v.fault, e.event_id, e.delivery_id
from entry_value p
left join product_order o on o.order_key = p.order_key
left join timeline_entry e
    on e.order_key = p.order_key and e.event_position = p.event_position and e.ordinal = p.ordinal
left join vocabulary v on v.subject = 'message' and v.compared = compared(p.value)
where p.kind = 'message';
comment on column analytics.messages.part is
    'The part''s place in the message, from 1; 0 for the code of the whole message where none of its parts names it.';
comment on column analytics.messages.code is
    'The code of the part; that of the whole message where the part has none and no other part names it.';

-- There are few codes and many messages: which codes tell of delay is settled first.
create or replace view analytics.delay_reasons as
with delay as (
    select s.value, v.value as code, v.words, v.fault
    from (select value from entry_value where kind = 'message' and value is not null group by value) s
    join vocabulary v on v.subject = 'message' and v.compared = compared(s.value)
    where v.classes && array['delay', 'access-failed', 'missed']
)
select d.code, d.words as meaning, d.fault, count(*) as messages, count(distinct m.order_key) as orders,
       min(m.at) as first_at, max(m.at) as last_at
from entry_value m
join delay d on d.value = m.value
where m.kind = 'message'
group by d.code, d.words, d.fault;
comment on column analytics.delay_reasons.code is 'The code of the message, as the vocabulary spells it.';

-- What the vocabulary has learned since is no longer unknown, before the feed says it again.
create or replace view analytics.unknown_values as
select u.subject, u.value, u.first_seen, u.last_seen, u.occurrences, u.orders
from (
    select subject, value, min(first_seen) as first_seen, max(last_seen) as last_seen,
           sum(occurrences)::bigint as occurrences, count(*) as orders
    from unknown_value
    group by subject, value
) u
where not exists (select from vocabulary v where v.subject = u.subject and v.compared = compared(u.value));

-- A norm is of a sub-status in all its spellings, and shows one of them.
alter table silence_norm add column compared text generated always as (compared(sub_status)) stored;

comment on column analytics.time_in_sub_status.sub_status is 'The sub-status, in one of its spellings.';
comment on column analytics.time_in_sub_status.offering_id is
    'The id of the item''s product offering; null for items of which none is known.';
comment on column analytics.time_in_sub_status.running is 'How many items that have not ended are in it now.';

-- Of a norm that few periods made, the floor stands.
create or replace view analytics.silent_orders as
select o.order_key, o.sender, o.order_id, o.last_event_at, l.allowed, o.last_event_at + l.allowed as since
from product_order o
cross join lateral (
    select greatest(interval '7 days', max(n.p95)) as allowed
    from product_order_item i
    join silence_norm n on n.offering_id = coalesce(i.offering_id, '') and n.compared = compared(i.sub_status)
        and n.periods >= 20
    where i.order_key = o.order_key and compared(i.state) not in ('completed', 'failed', 'cancelled', 'rejected')
) l
where lower(o.state) not in ('completed', 'failed', 'cancelled', 'rejected', 'partial')
  and o.last_event_at < now() - interval '7 days' and o.last_event_at < now() - l.allowed;

comment on view analytics.milestones is
    'A milestone reached by an item, or by the order as a whole: by whom it was said, and who said it first.';
comment on column analytics.milestones.item_id is
    'The item''s id; known inside its order only. Null where it was said of the order as a whole.';
comment on column analytics.milestones.said_by is
    'sub-status, message, or both in one event; milestone where the sender states the milestone itself.';
comment on column analytics.milestones.is_first is 'True where nothing had said it of the item, or of the order as a whole, before.';
comment on column analytics.milestones.is_first_of_order is 'True where nothing had said it of the order or of any of its items before.';

comment on column analytics.expected_date_history.is_first is
    'True for the first date that was stated. Dates that only a message''s text names are a series of their own, with a first of its own: in_text_of tells them apart.';
comment on column analytics.expected_date_history.reason_code is
    'The code of the message in the same event that explains why the date moved, or whose text alone names it; null where none does.';
comment on column analytics.expected_date_history.days_from_first is
    'Days after the first date that the field stated, for dates in text, too; negative where before.';

comment on column analytics.contradictions.statement is 'One statement, as it was when they began to clash.';
comment on column analytics.contradictions.other_statement is 'The other, as it was when they began to clash.';
comment on column analytics.attention.since is
    'The event since which it holds without a break; of contradictions the beginning of the oldest that is open, which why names.';

do $$
begin
    if exists (select from pg_roles where rolname = 'order_timeline_analyst') then
        grant execute on function compared(text) to order_timeline_analyst;
    end if;
end
$$;

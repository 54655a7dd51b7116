-- The day that an item's first expected date means, as it was written: midnight in London is the day before in UTC.
alter table product_order_item add column first_expected_day date;

create or replace view analytics.first_date_hit_rate as
select date_trunc('week', d.completed)::date as week, d.offering_id, count(*) as completed,
       count(*) filter (where d.completed::date <= d.expected) as on_time,
       round(avg((d.completed::date <= d.expected)::integer), 3) as hit_rate
from (
    select i.offering_id, i.first_completed at time zone 'Europe/London' as completed,
           -- Of items that were written before the day was kept.
           coalesce(i.first_expected_day, (i.first_expected at time zone interval '0')::date) as expected
    from product_order_item i
    where i.first_completed is not null and i.first_expected is not null
) d
group by 1, d.offering_id;
comment on view analytics.first_date_hit_rate is
    'How often items were completed on the first date that was stated for them or before, by the week of completion.';

-- The queue of visits is asked for by fault, the latest first, and counts what the view counts.
drop index entry_value_missed;
create index entry_value_missed on entry_value (missed, at, order_key, event_position, ordinal, part)
    where missed is not null;
drop index timeline_entry_visit;

create or replace view analytics.missed_appointments as
select m.order_key, o.sender, o.order_id, coalesce(m.item_id, e.item_ids[1]) as item_id, m.at, m.value as reason,
       m.missed as fault,
       case when e.to_value ->> 'start' ~ '^\d{4}-\d\d-\d\dT.*Z$' then (e.to_value ->> 'start')::timestamptz end as window_start,
       case when e.to_value ->> 'finish' ~ '^\d{4}-\d\d-\d\dT.*Z$' then (e.to_value ->> 'finish')::timestamptz end as window_finish,
       (e.facts ->> 'reschedules')::integer as reschedules,
       case m.kind when 'appointment' then e.facts ->> 'faultCode' else m.value end as fault_code
from entry_value m
left join product_order o on o.order_key = m.order_key
left join timeline_entry e
    on e.order_key = m.order_key and e.event_position = m.event_position and e.ordinal = m.ordinal
where m.missed is not null;
comment on view analytics.missed_appointments is
    'A visit that did not take place, or an appointment whose window moved, and whose fault it was; once for each, whether the status, a message or the window said so first. A status that says later why a window moved is a row of its own.';
comment on column analytics.missed_appointments.window_start is
    'Start of the window in UTC: that of the visit that was missed, or the one to which it was moved; null where a message alone says that the visit did not take place.';

-- A supplier counts the visits; the greatest number counts, in whatever spelling its name comes.
create or replace view analytics.appointment_history as
select a.order_key, o.sender, o.order_id, a.item_id, e.to_value ->> 'id' as appointment_id,
       e.to_value ->> 'reference' as reference, a.value as status,
       case when e.to_value ->> 'start' ~ '^\d{4}-\d\d-\d\dT.*Z$' then (e.to_value ->> 'start')::timestamptz end as window_start,
       case when e.to_value ->> 'finish' ~ '^\d{4}-\d\d-\d\dT.*Z$' then (e.to_value ->> 'finish')::timestamptz end as window_finish,
       (e.facts ->> 'windowKnown')::boolean as window_known, e.facts ->> 'slot' as slot, e.facts -> 'changed' as changed,
       e.facts ->> 'fault' as fault, (e.facts ->> 'reschedules')::integer as reschedules,
       (select c.value
        from product_order_item i
        cross join lateral jsonb_each_text(i.characteristics) c
        where i.order_key = a.order_key and compared(c.key) = 'attrtnumberofabortivevisits' and c.value ~ '^\d+$'
        order by length(ltrim(c.value, '0')) desc, ltrim(c.value, '0') desc
        limit 1) as abortive_visits,
       a.at as valid_from, e.valid_to, e.event_id, e.delivery_id, e.facts ->> 'faultCode' as fault_code
from entry_value a
left join product_order o on o.order_key = a.order_key
left join timeline_entry e
    on e.order_key = a.order_key and e.event_position = a.event_position and e.ordinal = a.ordinal
where a.kind = 'appointment';

-- A value is one in all its spellings: what explains one explains them all.
create or replace view analytics.unknown_values as
select u.subject, u.value, u.first_seen, u.last_seen, u.occurrences, u.orders
from (
    select subject, compared(value) as compared, min(value) as value, min(first_seen) as first_seen,
           max(last_seen) as last_seen, sum(occurrences)::bigint as occurrences, count(distinct order_key) as orders
    from unknown_value
    group by subject, compared(value)
) u
where not exists (select from vocabulary v where v.subject = u.subject and v.compared = u.compared);
comment on column analytics.unknown_values.value is 'The value, in one of its spellings.';

comment on column analytics.expected_date_history.expected_text is
    'As it was said; a time in UTC to the millisecond.';
comment on column analytics.kci_gaps.kci3_at is
    'When the first of its items was completed: where others were committed later, the gap is negative.';
comment on view analytics.delay_reasons is
    'Messages of delay, of missed visits and of failed access, counted; an order that is late by a sub-status alone has none.';
comment on column analytics.delay_reasons.messages is
    'How often it was told: a message that stands in one snapshot after the other is told once.';
comment on column analytics.time_in_sub_status.periods is
    'How many periods the figures are made of: those that another sub-status ended. What only the item''s end ends is none.';

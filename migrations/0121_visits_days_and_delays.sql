-- Orders by the code of a message, whatever its spelling. It takes the place of a look through all messages, of which few
-- tell of delay.
create index entry_value_message on entry_value (compared(value), order_key, at) include (value) where kind = 'message';

create or replace view analytics.delay_reasons as
select d.code, d.meaning, d.fault, sum(d.messages)::bigint as messages, count(*) as orders,
       min(d.first_at) as first_at, max(d.last_at) as last_at
from (
    select v.value as code, v.words as meaning, v.fault, count(*) as messages, min(m.at) as first_at, max(m.at) as last_at
    from vocabulary v
    join entry_value m on compared(m.value) = v.compared and m.kind = 'message'
    where v.subject = 'message' and v.classes && array['delay', 'access-failed', 'missed']
    group by v.value, v.words, v.fault, m.order_key
) d
group by d.code, d.meaning, d.fault;

-- How many days a feed has: without it the planner takes each delivery for a day of its own, and counts with one processor
-- alone. Where a server cannot keep it, the view answers all the same.
do $$
begin
    create statistics delivery_by_day on sender, ((received_at at time zone interval '0')::date) from delivery;
exception
    when feature_not_supported then raise notice 'no statistics of days are kept: %', sqlerrm;
end
$$;

-- A date is the day as it was written. Suppliers write the end of a day in London as 23:59:59Z the year round: taken for a
-- moment it is the next day in summer.
create or replace view analytics.first_date_hit_rate as
select date_trunc('week', d.completed)::date as week, d.offering_id, count(*) as completed,
       count(*) filter (where d.completed::date <= d.expected::date) as on_time,
       round(avg((d.completed::date <= d.expected::date)::integer), 3) as hit_rate
from (
    select i.offering_id, i.first_completed at time zone 'Europe/London' as completed,
           i.first_expected at time zone interval '0' as expected
    from product_order_item i
    where i.first_completed is not null and i.first_expected is not null
) d
group by 1, d.offering_id;

comment on view analytics.missed_appointments is
    'A visit that did not take place, or an appointment whose window moved, and whose fault it was; one row of an event.';
comment on column analytics.missed_appointments.reason is
    'The appointment''s status, or the code of the message, that says so; where a window moved and nothing says why, the status that it has.';
comment on column analytics.missed_appointments.fault is
    'customer or supplier; unknown where nothing says whose, as of a window that moved without a word.';
comment on column analytics.appointment_history.fault is
    'Whose fault it is that this version came about, or that its visit did not take place, as its status or a message of the same event says; null where nothing does. A message that comes without a new version stands in missed_appointments alone.';
comment on column analytics.expected_date_history.expected_text is
    'As it was said where it cannot be read as a time; else the time in UTC, to the millisecond.';
comment on column analytics.appointment_history.slot is
    'morning, afternoon, evening or all-day, in London; null where the hours are not known, or are none of these.';

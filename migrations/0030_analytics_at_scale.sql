-- What analysts ask of all orders at once, from narrow rows: a timeline entry is several hundred bytes wide, and an
-- order has seventy of them.

-- An item's state and sub-status over [valid_from, valid_to).
create table item_version (
    order_key uuid not null,
    item_id text not null,
    -- The entry that began it.
    event_position bigint not null,
    ordinal integer not null,
    state text,
    sub_status text,
    valid_from timestamptz not null,
    -- Null while it holds.
    valid_to timestamptz,
    constraint item_version_pk primary key (order_key, item_id, event_position)
) with (fillfactor = 80);

-- What entries are counted by: the code of each part of a message, the milestone of each item, an appointment's status.
create table entry_value (
    order_key uuid not null,
    event_position bigint not null,
    ordinal integer not null,
    -- Of the message, or of the items, from 1.
    part integer not null,
    -- The entry's: message, milestone or appointment.
    kind text not null,
    value text,
    -- Null for messages, which are about any number of items.
    item_id text,
    at timestamptz not null,
    -- Whose fault it is, where it says that a visit did not take place or that an appointment was moved.
    missed text,
    constraint entry_value_pk primary key (order_key, event_position, ordinal, part)
);
create index entry_value_missed on entry_value (at, order_key) where missed is not null;

-- The first date that was committed for the item, and when it was completed for the first time.
alter table product_order_item add column first_expected timestamptz, add column first_completed timestamptz;

-- In the order of time: new entries go to the index's end, where those by order_key alone went to all places of it, and
-- entries of one event share a tuple. One order's entries are found by the primary key. The key is there because a view
-- that joins the order reads it even where nothing of the order is asked for.
drop index timeline_entry_sub_status;
drop index timeline_entry_completed;
drop index timeline_entry_message;
drop index timeline_entry_appointment;
drop index timeline_entry_milestone;
drop index timeline_entry_expected_date;
drop index timeline_entry_contradiction;
create index timeline_entry_expected_date on timeline_entry (at, order_key) where kind = 'expected-date';
create index timeline_entry_characteristic on timeline_entry (at, order_key) where kind = 'characteristic';
create index timeline_entry_contradiction on timeline_entry (at, order_key) include (valid_to)
    where kind = 'contradiction' and (facts ->> 'open')::boolean;

-- The timelines of a day or a week: entries lie about in the order in which they came. A few bytes an event, where a tree
-- would take four hundred.
create index timeline_entry_by_time on timeline_entry using brin (at) with (pages_per_range = 32, autosummarize = on);

-- The feed by day, from the index alone.
alter table delivery add column is_odd boolean not null generated always as (oddities <> '[]') stored;
create index delivery_by_sender on delivery (sender, received_at) include (outcome, body_length, is_odd);

-- How long items stay in a sub-status, learned anew by the service from time to time.
alter table silence_norm alter column p95 drop not null, add column median interval, add column running bigint,
    add column learned_at timestamptz;

-- Every row has its order: a left join says the same as a join, and is left out where nothing of it is asked for.

create or replace view analytics.order_items as
select i.order_key, o.sender, o.order_id, i.item_id, i.parent_item_id, i.internal_id, i.action, i.state, i.sub_status,
       i.product_id, i.offering_id, v.words as offering, i.service_id, i.expected_completion, i.expected_completion_text,
       i.appointment_id, i.appointment_reference, i.appointment_status, i.appointment_start, i.appointment_finish,
       i.characteristics, i.first_expected, i.first_completed
from product_order_item i
left join product_order o on o.order_key = i.order_key
left join vocabulary v on v.subject = 'offering' and v.compared = lower(i.offering_id);
comment on column analytics.order_items.first_expected is 'The first expected completion that was stated, in UTC.';
comment on column analytics.order_items.first_completed is 'When the item was completed for the first time; null where it was not.';

create or replace view analytics.timeline as
select e.order_key, o.sender, o.order_id, e.event_position, e.ordinal, e.at, e.at_estimated, e.received_at, e.late,
       e.event_id, e.delivery_id, e.kind, e.item_ids, e.name, e.from_value, e.to_value, e.message, e.facts, e.sentence,
       e.valid_to, e.known_from
from timeline_entry e
left join product_order o on o.order_key = e.order_key;

create or replace view analytics.item_state_history as
select v.order_key, o.sender, o.order_id, v.item_id, v.state, v.sub_status, v.valid_from, v.valid_to, e.event_id,
       e.delivery_id
from item_version v
left join product_order o on o.order_key = v.order_key
left join timeline_entry e
    on e.order_key = v.order_key and e.event_position = v.event_position and e.ordinal = v.ordinal;

create or replace view analytics.appointment_history as
select a.order_key, o.sender, o.order_id, a.item_id, e.to_value ->> 'id' as appointment_id,
       e.to_value ->> 'reference' as reference, a.value as status,
       case when e.to_value ->> 'start' ~ '^\d{4}-\d\d-\d\dT.*Z$' then (e.to_value ->> 'start')::timestamptz end as window_start,
       case when e.to_value ->> 'finish' ~ '^\d{4}-\d\d-\d\dT.*Z$' then (e.to_value ->> 'finish')::timestamptz end as window_finish,
       (e.facts ->> 'windowKnown')::boolean as window_known, e.facts ->> 'slot' as slot, e.facts -> 'changed' as changed,
       e.facts ->> 'fault' as fault, (e.facts ->> 'reschedules')::integer as reschedules,
       (select max(i.characteristics ->> 'ATT_RT_numberOfAbortiveVisits')
        from product_order_item i where i.order_key = a.order_key) as abortive_visits,
       a.at as valid_from, e.valid_to, e.event_id, e.delivery_id
from entry_value a
left join product_order o on o.order_key = a.order_key
left join timeline_entry e
    on e.order_key = a.order_key and e.event_position = a.event_position and e.ordinal = a.ordinal
where a.kind = 'appointment';

create or replace view analytics.expected_date_history as
select e.order_key, o.sender, o.order_id, e.item_ids[1] as item_id,
       case when e.to_value #>> '{}' ~ '^\d{4}-\d\d-\d\dT.*Z$' then (e.to_value #>> '{}')::timestamptz end as expected_completion,
       coalesce(e.to_text, e.to_value #>> '{}') as expected_text,
       (e.facts ->> 'first')::boolean as is_first, (e.facts ->> 'daysFromFirst')::integer as days_from_first,
       (e.facts ->> 'daysFromPrevious')::integer as days_from_previous, e.facts ->> 'reasonCode' as reason_code,
       e.facts ->> 'inTextOf' as in_text_of, e.at as valid_from, e.valid_to, e.event_id, e.delivery_id
from timeline_entry e
left join product_order o on o.order_key = e.order_key
where e.kind = 'expected-date';

create or replace view analytics.characteristic_history as
select e.order_key, o.sender, o.order_id, e.item_ids[1] as item_id, e.name, e.to_value #>> '{}' as value,
       e.at as valid_from, e.valid_to, e.event_id, e.delivery_id
from timeline_entry e
left join product_order o on o.order_key = e.order_key
where e.kind = 'characteristic';

create or replace view analytics.messages as
select p.order_key, o.sender, o.order_id, e.item_ids, p.at, e.message ->> 'code' as sub_code, p.part::bigint as part,
       e.message #>> array['parts', (p.part - 1)::text, 'severity'] as severity, p.value as code,
       e.message #>> array['parts', (p.part - 1)::text, 'text'] as text,
       v.words as meaning, v.classes, v.fault, e.event_id, e.delivery_id
from entry_value p
left join product_order o on o.order_key = p.order_key
left join timeline_entry e
    on e.order_key = p.order_key and e.event_position = p.event_position and e.ordinal = p.ordinal
left join vocabulary v on v.subject = 'message' and v.compared = lower(p.value)
where p.kind = 'message';

create or replace view analytics.delay_reasons as
select m.value as code, v.words as meaning, v.fault, count(*) as messages, count(distinct m.order_key) as orders,
       min(m.at) as first_at, max(m.at) as last_at
from entry_value m
join vocabulary v on v.subject = 'message' and v.compared = lower(m.value)
where m.kind = 'message' and v.classes && array['delay', 'access-failed', 'missed']
group by m.value, v.words, v.fault;

create or replace view analytics.milestones as
select m.order_key, o.sender, o.order_id, m.value as milestone, m.item_id, m.at,
       array_to_string(array(select jsonb_array_elements_text(e.facts -> 'saidBy')), ' and ') as said_by,
       (e.facts ->> 'first')::boolean as is_first, (e.facts ->> 'firstOfOrder')::boolean as is_first_of_order,
       e.event_id, e.delivery_id
from entry_value m
left join product_order o on o.order_key = m.order_key
left join timeline_entry e
    on e.order_key = m.order_key and e.event_position = m.event_position and e.ordinal = m.ordinal
where m.kind = 'milestone';

create or replace view analytics.contradictions as
select e.order_key, o.sender, o.order_id, e.item_ids[1] as item_id, e.name as kind,
       e.facts #>> '{statements,0}' as statement, e.facts #>> '{statements,1}' as other_statement,
       e.at as opened_at, e.valid_to as closed_at, e.event_id, e.delivery_id
from timeline_entry e
left join product_order o on o.order_key = e.order_key
where e.kind = 'contradiction' and (e.facts ->> 'open')::boolean;

create or replace view analytics.kci_gaps as
select m.order_key, o.sender, o.order_id, m.kci1_at, m.kci2_at, m.kci3_at,
       m.kci2_at - m.kci1_at as kci1_to_kci2, m.kci3_at - m.kci2_at as kci2_to_kci3
from (
    select e.order_key, min(e.at) filter (where e.value = 'KCI1') as kci1_at,
           min(e.at) filter (where e.value = 'KCI2') as kci2_at, min(e.at) filter (where e.value = 'KCI3') as kci3_at
    from entry_value e
    where e.kind = 'milestone' and e.value in ('KCI1', 'KCI2', 'KCI3')
    group by e.order_key
) m
left join product_order o on o.order_key = m.order_key;

-- A visit that did not take place is told by the appointment's status, by a message, or by both in one event.
create or replace view analytics.missed_appointments as
select m.order_key, o.sender, o.order_id, coalesce(m.item_id, e.item_ids[1]) as item_id, m.at, m.value as reason,
       m.missed as fault,
       case when e.to_value ->> 'start' ~ '^\d{4}-\d\d-\d\dT.*Z$' then (e.to_value ->> 'start')::timestamptz end as window_start,
       case when e.to_value ->> 'finish' ~ '^\d{4}-\d\d-\d\dT.*Z$' then (e.to_value ->> 'finish')::timestamptz end as window_finish,
       (e.facts ->> 'reschedules')::integer as reschedules
from entry_value m
left join product_order o on o.order_key = m.order_key
left join timeline_entry e
    on e.order_key = m.order_key and e.event_position = m.event_position and e.ordinal = m.ordinal
where m.missed is not null;
comment on view analytics.missed_appointments is
    'A visit that did not take place, or an appointment that was moved, and whose fault it was; one row of an event.';
comment on column analytics.missed_appointments.reason is
    'The appointment''s status that says so, else the code of the message.';
comment on column analytics.missed_appointments.window_start is
    'Start of the window in UTC; null where a message alone says that the visit did not take place.';
comment on column analytics.missed_appointments.window_finish is 'End of the window in UTC; null likewise.';
comment on column analytics.missed_appointments.reschedules is 'How often the window had moved by then; null likewise.';

create or replace view analytics.time_in_sub_status as
select nullif(n.offering_id, '') as offering_id, n.sub_status, n.periods, n.median, n.p95, n.running, n.learned_at
from silence_norm n
where n.learned_at is not null;
comment on view analytics.time_in_sub_status is
    'How long items stay in a sub-status, by offering; learned anew by the service every hour.';
comment on column analytics.time_in_sub_status.learned_at is 'As of when.';

-- Of a norm that few periods made, the floor stands.
create or replace view analytics.silent_orders as
select o.order_key, o.sender, o.order_id, o.last_event_at, l.allowed, o.last_event_at + l.allowed as since
from product_order o
cross join lateral (
    select greatest(interval '7 days', max(n.p95)) as allowed
    from product_order_item i
    join silence_norm n on n.offering_id = i.offering_id and n.sub_status = i.sub_status and n.periods >= 20
    where i.order_key = o.order_key and lower(i.state) not in ('completed', 'failed', 'cancelled', 'rejected')
) l
where lower(o.state) not in ('completed', 'failed', 'cancelled', 'rejected', 'partial')
  and o.last_event_at < now() - interval '7 days' and o.last_event_at < now() - l.allowed;

create or replace view analytics.first_date_hit_rate as
select date_trunc('week', d.completed)::date as week, d.offering_id, count(*) as completed,
       count(*) filter (where d.completed::date <= d.expected::date) as on_time,
       round(avg((d.completed::date <= d.expected::date)::integer), 3) as hit_rate
from (
    select i.offering_id, i.first_completed at time zone 'Europe/London' as completed,
           i.first_expected at time zone 'Europe/London' as expected
    from product_order_item i
    where i.first_completed is not null and i.first_expected is not null
) d
group by 1, d.offering_id;

-- UTC by its offset: looking the zone up by its name takes longer than all the rest.
create or replace view analytics.feed_health as
select d.sender, d.day, count(*) as deliveries,
       count(*) filter (where d.outcome = 'applied') as applied, count(*) filter (where d.outcome = 'duplicate') as duplicates,
       count(*) filter (where d.outcome = 'conflict') as conflicts,
       count(*) filter (where d.outcome = 'quarantined') as quarantined,
       count(*) filter (where d.is_odd) as odd, sum(d.body_length)::bigint as bytes,
       max(d.received_at) as last_received_at
from (
    select sender, (received_at at time zone interval '0')::date as day, received_at, outcome, is_odd, body_length
    from delivery
) d
group by d.sender, d.day;

-- Compiling a plan takes longer than most of these take to run. Where that is not ours to set, an administrator may.
do $$
begin
    execute format('alter database %I set jit = off', current_database());
exception
    when insufficient_privilege then raise warning 'jit could not be set off for the database';
end
$$;

comment on column analytics.attention.reason is
    'action-needed, access-failed, missed, flagged, delayed, supplier-cancelled, contradiction or silent.';
comment on view analytics.unknown_values is
    'A value that the feed uses, or a shape of its JSON, that the vocabulary does not know.';
comment on column analytics.unknown_values.subject is
    'What it is a value of: offering, sub-status, appointment-status, message, characteristic; or shape: a deviation of the JSON and where it stands.';

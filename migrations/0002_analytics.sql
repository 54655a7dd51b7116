-- The analysts' contract: views that are changed only by adding. Everything outside this schema is private.

create schema analytics;
comment on schema analytics is 'Order events for analysts. Views here are changed only by adding; all times are UTC.';

-- What the views look for; each index holds the entries of one kind only.
create index timeline_entry_milestone on timeline_entry (name, order_key) include (at) where kind = 'milestone';
create index timeline_entry_sub_status on timeline_entry (order_key) where kind = 'item-sub-status';
create index timeline_entry_appointment on timeline_entry (order_key) where kind = 'appointment';
create index timeline_entry_expected_date on timeline_entry (order_key) where kind = 'expected-date';
create index timeline_entry_contradiction on timeline_entry (order_key) where kind = 'contradiction';
create index timeline_entry_message on timeline_entry (order_key) where kind = 'message';
create index timeline_entry_completed on timeline_entry (order_key)
    where kind = 'item-state' and lower(to_value #>> '{}') = 'completed';

create view analytics.orders as
select o.order_key, o.sender, o.order_id, o.external_id, o.state, o.state_reason,
       o.first_event_at, o.last_event_at, o.last_received_at, o.events
from product_order o;
comment on view analytics.orders is 'An order now.';
comment on column analytics.orders.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.orders.sender is 'The supplier that posts the order''s events.';
comment on column analytics.orders.order_id is 'The supplier''s order id; text, zero-padded.';
comment on column analytics.orders.external_id is 'Our own id for the order as the supplier repeats it; not unique.';
comment on column analytics.orders.state is 'The sender''s own order state where it states one, else derived from the root items.';
comment on column analytics.orders.state_reason is 'A sentence that says why the order is in this state and names items that disagree.';
comment on column analytics.orders.first_event_at is 'Time of the earliest event.';
comment on column analytics.orders.last_event_at is 'Time of the latest event.';
comment on column analytics.orders.last_received_at is 'When the service received the last event that counts.';
comment on column analytics.orders.events is 'How many events count: no duplicates, no conflicts.';

create view analytics.order_items as
select i.order_key, o.sender, o.order_id, i.item_id, i.parent_item_id, i.internal_id, i.action, i.state, i.sub_status,
       i.product_id, i.offering_id, v.words as offering, i.service_id, i.expected_completion, i.expected_completion_text,
       i.appointment_id, i.appointment_reference, i.appointment_status, i.appointment_start, i.appointment_finish,
       i.characteristics
from product_order_item i
join product_order o on o.order_key = i.order_key
left join vocabulary v on v.subject = 'offering' and v.compared = lower(i.offering_id);
comment on view analytics.order_items is 'An item now.';
comment on column analytics.order_items.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.order_items.sender is 'The supplier that posts the order''s events.';
comment on column analytics.order_items.order_id is 'The supplier''s order id; text, zero-padded.';
comment on column analytics.order_items.item_id is 'The item''s id; known inside its order only.';
comment on column analytics.order_items.parent_item_id is 'The item that contains this one; null for a root item.';
comment on column analytics.order_items.internal_id is 'The supplier''s internal id of the item.';
comment on column analytics.order_items.action is 'add, modify, delete or noChange, as received.';
comment on column analytics.order_items.state is 'The item''s state as received last.';
comment on column analytics.order_items.sub_status is 'The item''s sub-status as received last.';
comment on column analytics.order_items.product_id is 'The product instance''s id.';
comment on column analytics.order_items.offering_id is 'The id of the item''s product offering.';
comment on column analytics.order_items.offering is 'What the offering is, by the vocabulary.';
comment on column analytics.order_items.service_id is 'The service that the item provides.';
comment on column analytics.order_items.expected_completion is 'Expected completion in UTC; null where the text could not be read.';
comment on column analytics.order_items.expected_completion_text is 'Expected completion as received.';
comment on column analytics.order_items.appointment_id is 'The appointment''s id.';
comment on column analytics.order_items.appointment_reference is 'The appointment''s reference (BESAppointmentId); changes with the slot.';
comment on column analytics.order_items.appointment_status is 'The appointment''s status as received last.';
comment on column analytics.order_items.appointment_start is 'Start of the window in UTC; equal to the finish where the hours are not known yet.';
comment on column analytics.order_items.appointment_finish is 'End of the window in UTC.';
comment on column analytics.order_items.characteristics is 'Characteristics by name: {name: value}.';

create view analytics.timeline as
select e.order_key, o.sender, o.order_id, e.event_position, e.ordinal, e.at, e.at_estimated, e.received_at, e.late,
       e.event_id, e.delivery_id, e.kind, e.item_ids, e.name, e.from_value, e.to_value, e.message, e.facts, e.sentence,
       e.valid_to, e.known_from
from timeline_entry e
join product_order o on o.order_key = e.order_key;
comment on view analytics.timeline is 'An entry of an order''s timeline.';
comment on column analytics.timeline.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.timeline.sender is 'The supplier that posts the order''s events.';
comment on column analytics.timeline.order_id is 'The supplier''s order id; text, zero-padded.';
comment on column analytics.timeline.event_position is 'The event''s place in its order''s history, from 0.';
comment on column analytics.timeline.ordinal is 'The entry''s place within its event, from 0.';
comment on column analytics.timeline.at is 'When it happened: the event''s time, else the time received.';
comment on column analytics.timeline.at_estimated is 'True where the event states no time and the time received stands in.';
comment on column analytics.timeline.received_at is 'When the service received it.';
comment on column analytics.timeline.late is 'True where it was received after an event that stands later in time.';
comment on column analytics.timeline.event_id is 'The event''s id, if it has one.';
comment on column analytics.timeline.delivery_id is 'The delivery that said it.';
comment on column analytics.timeline.kind is 'The kind of change.';
comment on column analytics.timeline.item_ids is 'The items it is about; empty for the order itself.';
comment on column analytics.timeline.name is 'What changed where the kind leaves it open: a characteristic''s name, a party''s role, a milestone.';
comment on column analytics.timeline.from_value is 'The value before, as JSON.';
comment on column analytics.timeline.to_value is 'The value after, as JSON.';
comment on column analytics.timeline.message is 'A message''s code, severity and parts, as JSON.';
comment on column analytics.timeline.facts is 'What follows from it by its kind, as JSON; the other views have it as columns.';
comment on column analytics.timeline.sentence is 'The change in words.';
comment on column analytics.timeline.valid_to is 'When what it says ceased to hold; null while it holds, and for what has no versions.';
comment on column analytics.timeline.known_from is 'The receipt since which we know it: later than received_at where a late event made it anew.';

-- States and sub-statuses are entries of their own; an item's history is both, cut where either changes.
create view analytics.item_state_history as
select h.order_key, o.sender, o.order_id, h.item_id, h.state, h.sub_status, h.valid_from,
       lead(h.valid_from) over (partition by h.order_key, h.item_id order by h.event_position) as valid_to,
       h.event_id, h.delivery_id
from (
    select e.order_key, e.event_position, e.item_ids[1] as item_id, min(e.at) as valid_from,
           min(e.event_id) as event_id, (array_agg(e.delivery_id))[1] as delivery_id,
           coalesce(max(e.to_value #>> '{}') filter (where e.kind = 'item-state'),
                    (select s.to_value #>> '{}' from timeline_entry s
                     where s.order_key = e.order_key and s.event_position < e.event_position
                       and s.kind = 'item-state' and s.item_ids = e.item_ids
                     order by s.event_position desc limit 1)) as state,
           coalesce(max(e.to_value #>> '{}') filter (where e.kind = 'item-sub-status'),
                    (select s.to_value #>> '{}' from timeline_entry s
                     where s.order_key = e.order_key and s.event_position < e.event_position
                       and s.kind = 'item-sub-status' and s.item_ids = e.item_ids
                     order by s.event_position desc limit 1)) as sub_status
    from timeline_entry e
    where e.kind in ('item-state', 'item-sub-status')
    group by e.order_key, e.event_position, e.item_ids
) h
join product_order o on o.order_key = h.order_key;
comment on view analytics.item_state_history is 'An item''s state and sub-status over [valid_from, valid_to), with the event that began it.';
comment on column analytics.item_state_history.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.item_state_history.sender is 'The supplier that posts the order''s events.';
comment on column analytics.item_state_history.order_id is 'The supplier''s order id; text, zero-padded.';
comment on column analytics.item_state_history.item_id is 'The item''s id; known inside its order only.';
comment on column analytics.item_state_history.state is 'The item''s state in that time, as received; null where none was stated yet.';
comment on column analytics.item_state_history.sub_status is 'The item''s sub-status in that time, as received; null where none was stated yet.';
comment on column analytics.item_state_history.valid_from is 'When it began to hold.';
comment on column analytics.item_state_history.valid_to is 'When the next one began; null while it lasts.';
comment on column analytics.item_state_history.event_id is 'The event that began it.';
comment on column analytics.item_state_history.delivery_id is 'The delivery that said it.';

create view analytics.appointment_history as
select e.order_key, o.sender, o.order_id, e.item_ids[1] as item_id, e.to_value ->> 'id' as appointment_id,
       e.to_value ->> 'reference' as reference, e.to_value ->> 'status' as status,
       case when e.to_value ->> 'start' ~ '^\d{4}-\d\d-\d\dT.*Z$' then (e.to_value ->> 'start')::timestamptz end as window_start,
       case when e.to_value ->> 'finish' ~ '^\d{4}-\d\d-\d\dT.*Z$' then (e.to_value ->> 'finish')::timestamptz end as window_finish,
       (e.facts ->> 'windowKnown')::boolean as window_known, e.facts ->> 'slot' as slot, e.facts -> 'changed' as changed,
       e.facts ->> 'fault' as fault, (e.facts ->> 'reschedules')::integer as reschedules,
       (select max(i.characteristics ->> 'ATT_RT_numberOfAbortiveVisits')
        from product_order_item i where i.order_key = e.order_key) as abortive_visits,
       e.at as valid_from, e.valid_to, e.event_id, e.delivery_id
from timeline_entry e
join product_order o on o.order_key = e.order_key
where e.kind = 'appointment';
comment on view analytics.appointment_history is 'A version of an appointment: ids, status, window, what changed, and whose fault.';
comment on column analytics.appointment_history.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.appointment_history.sender is 'The supplier that posts the order''s events.';
comment on column analytics.appointment_history.order_id is 'The supplier''s order id; text, zero-padded.';
comment on column analytics.appointment_history.item_id is 'The item''s id; known inside its order only.';
comment on column analytics.appointment_history.appointment_id is 'The appointment''s id.';
comment on column analytics.appointment_history.reference is 'The appointment''s reference (BESAppointmentId).';
comment on column analytics.appointment_history.status is 'The status as received.';
comment on column analytics.appointment_history.window_start is 'Start of the window in UTC.';
comment on column analytics.appointment_history.window_finish is 'End of the window in UTC.';
comment on column analytics.appointment_history.window_known is 'False where start and finish are the same: the hours are not known yet.';
comment on column analytics.appointment_history.slot is 'morning, afternoon or all-day, in London; null where the hours are not known.';
comment on column analytics.appointment_history.changed is 'What differs from the version before: id, reference, status, window.';
comment on column analytics.appointment_history.fault is 'customer or supplier, by the status or a message of the same event; null where nothing says so.';
comment on column analytics.appointment_history.reschedules is 'How often the window had moved by then.';
comment on column analytics.appointment_history.abortive_visits is 'The count of abortive visits that the order states now.';
comment on column analytics.appointment_history.valid_from is 'When it began to hold.';
comment on column analytics.appointment_history.valid_to is 'When the next version took its place; null while it holds.';
comment on column analytics.appointment_history.event_id is 'The event''s id, if it has one.';
comment on column analytics.appointment_history.delivery_id is 'The delivery that said it.';

create view analytics.expected_date_history as
select e.order_key, o.sender, o.order_id, e.item_ids[1] as item_id,
       case when e.to_value #>> '{}' ~ '^\d{4}-\d\d-\d\dT.*Z$' then (e.to_value #>> '{}')::timestamptz end as expected_completion,
       coalesce(e.to_text, e.to_value #>> '{}') as expected_text,
       (e.facts ->> 'first')::boolean as is_first, (e.facts ->> 'daysFromFirst')::integer as days_from_first,
       (e.facts ->> 'daysFromPrevious')::integer as days_from_previous, e.facts ->> 'reasonCode' as reason_code,
       e.facts ->> 'inTextOf' as in_text_of, e.at as valid_from, e.valid_to, e.event_id, e.delivery_id
from timeline_entry e
join product_order o on o.order_key = e.order_key
where e.kind = 'expected-date';
comment on view analytics.expected_date_history is 'A version of an item''s expected completion date, the first one marked, with days slipped.';
comment on column analytics.expected_date_history.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.expected_date_history.sender is 'The supplier that posts the order''s events.';
comment on column analytics.expected_date_history.order_id is 'The supplier''s order id; text, zero-padded.';
comment on column analytics.expected_date_history.item_id is 'The item''s id; known inside its order only.';
comment on column analytics.expected_date_history.expected_completion is 'The date in UTC; null where its text could not be read.';
comment on column analytics.expected_date_history.expected_text is 'The date as it was said.';
comment on column analytics.expected_date_history.is_first is 'True for the first date that was stated.';
comment on column analytics.expected_date_history.days_from_first is 'Days after the first date; negative where before.';
comment on column analytics.expected_date_history.days_from_previous is 'Days after the date before; negative where before.';
comment on column analytics.expected_date_history.reason_code is 'The code of the message in the same event that explains it; null where none does.';
comment on column analytics.expected_date_history.in_text_of is 'The code of the message whose text alone names the date; null where the date''s own field states it.';
comment on column analytics.expected_date_history.valid_from is 'When it began to hold.';
comment on column analytics.expected_date_history.valid_to is 'When the next version took its place; null while it holds.';
comment on column analytics.expected_date_history.event_id is 'The event''s id, if it has one.';
comment on column analytics.expected_date_history.delivery_id is 'The delivery that said it.';

create view analytics.characteristic_history as
select e.order_key, o.sender, o.order_id, e.item_ids[1] as item_id, e.name, e.to_value #>> '{}' as value,
       e.at as valid_from, e.valid_to, e.event_id, e.delivery_id
from timeline_entry e
join product_order o on o.order_key = e.order_key
where e.kind = 'characteristic';
comment on view analytics.characteristic_history is 'A version of a characteristic.';
comment on column analytics.characteristic_history.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.characteristic_history.sender is 'The supplier that posts the order''s events.';
comment on column analytics.characteristic_history.order_id is 'The supplier''s order id; text, zero-padded.';
comment on column analytics.characteristic_history.item_id is 'The item''s id; known inside its order only.';
comment on column analytics.characteristic_history.name is 'The characteristic''s name as received.';
comment on column analytics.characteristic_history.value is 'Its value as received.';
comment on column analytics.characteristic_history.valid_from is 'When it began to hold.';
comment on column analytics.characteristic_history.valid_to is 'When the next version took its place; null while it holds.';
comment on column analytics.characteristic_history.event_id is 'The event''s id, if it has one.';
comment on column analytics.characteristic_history.delivery_id is 'The delivery that said it.';

create view analytics.messages as
select e.order_key, o.sender, o.order_id, e.item_ids, e.at, e.message ->> 'code' as sub_code, p.part,
       p.said ->> 'severity' as severity, p.said ->> 'code' as code, p.said ->> 'text' as text,
       v.words as meaning, v.classes, v.fault, e.event_id, e.delivery_id
from timeline_entry e
join product_order o on o.order_key = e.order_key
cross join lateral jsonb_array_elements(e.message -> 'parts') with ordinality as p (said, part)
left join vocabulary v on v.subject = 'message' and v.compared = lower(p.said ->> 'code')
where e.kind = 'message';
comment on view analytics.messages is 'A message part, with its code''s meaning.';
comment on column analytics.messages.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.messages.sender is 'The supplier that posts the order''s events.';
comment on column analytics.messages.order_id is 'The supplier''s order id; text, zero-padded.';
comment on column analytics.messages.item_ids is 'The items that the message was sent for.';
comment on column analytics.messages.at is 'When it was sent.';
comment on column analytics.messages.sub_code is 'The code that the supplier names for the whole message.';
comment on column analytics.messages.part is 'The part''s place in the message, from 1.';
comment on column analytics.messages.severity is 'Informational, Warning and so on, as received.';
comment on column analytics.messages.code is 'The code of the part.';
comment on column analytics.messages.text is 'The part''s text.';
comment on column analytics.messages.meaning is 'What the code means, by the vocabulary; null where it is not known.';
comment on column analytics.messages.classes is 'The classes of the meaning.';
comment on column analytics.messages.fault is 'customer or supplier, by the vocabulary.';
comment on column analytics.messages.event_id is 'The event''s id, if it has one.';
comment on column analytics.messages.delivery_id is 'The delivery that said it.';

create view analytics.milestones as
select e.order_key, o.sender, o.order_id, e.name as milestone, i.item_id, e.at,
       array_to_string(array(select jsonb_array_elements_text(e.facts -> 'saidBy')), ' and ') as said_by,
       (e.facts ->> 'first')::boolean as is_first, (e.facts ->> 'firstOfOrder')::boolean as is_first_of_order,
       e.event_id, e.delivery_id
from timeline_entry e
join product_order o on o.order_key = e.order_key
cross join lateral unnest(e.item_ids) as i (item_id)
where e.kind = 'milestone' and e.facts is not null;
comment on view analytics.milestones is 'A milestone reached: by whom it was said, and who said it first.';
comment on column analytics.milestones.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.milestones.sender is 'The supplier that posts the order''s events.';
comment on column analytics.milestones.order_id is 'The supplier''s order id; text, zero-padded.';
comment on column analytics.milestones.milestone is 'KCI1 acknowledged, KCI2 committed, KCI3 completed, and what the vocabulary adds.';
comment on column analytics.milestones.item_id is 'The item''s id; known inside its order only.';
comment on column analytics.milestones.at is 'When it was said.';
comment on column analytics.milestones.said_by is 'sub-status, message, or both in one event.';
comment on column analytics.milestones.is_first is 'True where nothing had said it of the item before.';
comment on column analytics.milestones.is_first_of_order is 'True where nothing had said it of any item of the order before.';
comment on column analytics.milestones.event_id is 'The event''s id, if it has one.';
comment on column analytics.milestones.delivery_id is 'The delivery that said it.';

create view analytics.contradictions as
select e.order_key, o.sender, o.order_id, e.item_ids[1] as item_id, e.name as kind,
       e.facts #>> '{statements,0}' as statement, e.facts #>> '{statements,1}' as other_statement,
       e.at as opened_at, e.valid_to as closed_at, e.event_id, e.delivery_id
from timeline_entry e
join product_order o on o.order_key = e.order_key
where e.kind = 'contradiction' and (e.facts ->> 'open')::boolean;
comment on view analytics.contradictions is 'Two statements of the feed that cannot both be true, open or past.';
comment on column analytics.contradictions.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.contradictions.sender is 'The supplier that posts the order''s events.';
comment on column analytics.contradictions.order_id is 'The supplier''s order id; text, zero-padded.';
comment on column analytics.contradictions.item_id is 'The item''s id; known inside its order only.';
comment on column analytics.contradictions.kind is 'complete-while-running, visit-after-missed, date-in-text, cancelled-while-running, open-in-ended-order, date-moved-without-reason, reopened.';
comment on column analytics.contradictions.statement is 'One statement.';
comment on column analytics.contradictions.other_statement is 'The other.';
comment on column analytics.contradictions.opened_at is 'Since when they clash.';
comment on column analytics.contradictions.closed_at is 'When the feed resolved it; null while it is open.';
comment on column analytics.contradictions.event_id is 'The event''s id, if it has one.';
comment on column analytics.contradictions.delivery_id is 'The delivery that said it.';

create view analytics.attention as
select a.order_key, o.sender, o.order_id, a.reason, a.since, a.why
from attention a
join product_order o on o.order_key = a.order_key;
comment on view analytics.attention is 'An order that needs a person now, with since when and why.';
comment on column analytics.attention.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.attention.sender is 'The supplier that posts the order''s events.';
comment on column analytics.attention.order_id is 'The supplier''s order id; text, zero-padded.';
comment on column analytics.attention.reason is 'action-needed, access-failed, missed, flagged, delayed, supplier-cancelled or contradiction.';
comment on column analytics.attention.since is 'The event since which it holds without a break.';
comment on column analytics.attention.why is 'A sentence.';

create view analytics.deliveries as
select d.order_key, d.delivery_id, d.sender, d.received_at, d.origin, d.outcome, d.related_delivery_id, d.reason_code,
       d.reason, d.reason_path, d.order_id, d.event_id, d.event_type, d.event_time, d.event_time_text, d.body_length,
       d.oddities
from delivery d;
comment on view analytics.deliveries is 'A delivery: one authenticated request body, without the body.';
comment on column analytics.deliveries.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.deliveries.delivery_id is 'The delivery''s id; sorts in order of receipt.';
comment on column analytics.deliveries.sender is 'The supplier that sent it.';
comment on column analytics.deliveries.received_at is 'When the service first held the whole body.';
comment on column analytics.deliveries.origin is 'The path it was posted to, or where it was ingested from.';
comment on column analytics.deliveries.outcome is 'applied, duplicate, conflict or quarantined.';
comment on column analytics.deliveries.related_delivery_id is 'For a duplicate the delivery that was first with its content; for a conflict the one that counts.';
comment on column analytics.deliveries.reason_code is 'Why it is quarantined: a stable code.';
comment on column analytics.deliveries.reason is 'Why it is quarantined: a sentence.';
comment on column analytics.deliveries.reason_path is 'Where in the JSON, if that can be said.';
comment on column analytics.deliveries.order_id is 'The order it is about, where it names one.';
comment on column analytics.deliveries.event_id is 'The event''s id, where it has one.';
comment on column analytics.deliveries.event_type is 'The event''s type as received.';
comment on column analytics.deliveries.event_time is 'The event''s own time in UTC.';
comment on column analytics.deliveries.event_time_text is 'The event''s own time as received.';
comment on column analytics.deliveries.body_length is 'Bytes received.';
comment on column analytics.deliveries.oddities is 'Tolerated deviations: [{path, kind}].';

create view analytics.unknown_values as
select u.subject, u.value, min(u.first_seen) as first_seen, max(u.last_seen) as last_seen,
       sum(u.occurrences)::bigint as occurrences, count(*) as orders
from unknown_value u
group by u.subject, u.value;
comment on view analytics.unknown_values is 'A value that the feed uses and the vocabulary does not know.';
comment on column analytics.unknown_values.subject is 'What it is a value of: offering, sub-status, appointment-status, message, characteristic.';
comment on column analytics.unknown_values.value is 'The value as received.';
comment on column analytics.unknown_values.first_seen is 'Time of the first event with it.';
comment on column analytics.unknown_values.last_seen is 'Time of the last event with it.';
comment on column analytics.unknown_values.occurrences is 'In how many events it stood.';
comment on column analytics.unknown_values.orders is 'In how many orders.';

create view analytics.kci_gaps as
select m.order_key, o.sender, o.order_id, m.kci1_at, m.kci2_at, m.kci3_at,
       m.kci2_at - m.kci1_at as kci1_to_kci2, m.kci3_at - m.kci2_at as kci2_to_kci3
from (
    select e.order_key, min(e.at) filter (where e.name = 'KCI1') as kci1_at,
           min(e.at) filter (where e.name = 'KCI2') as kci2_at, min(e.at) filter (where e.name = 'KCI3') as kci3_at
    from timeline_entry e
    where e.kind = 'milestone' and e.name in ('KCI1', 'KCI2', 'KCI3')
    group by e.order_key
) m
join product_order o on o.order_key = m.order_key;
comment on view analytics.kci_gaps is 'The milestones of an order and the time between them.';
comment on column analytics.kci_gaps.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.kci_gaps.sender is 'The supplier that posts the order''s events.';
comment on column analytics.kci_gaps.order_id is 'The supplier''s order id; text, zero-padded.';
comment on column analytics.kci_gaps.kci1_at is 'When the order was acknowledged.';
comment on column analytics.kci_gaps.kci2_at is 'When it was committed.';
comment on column analytics.kci_gaps.kci3_at is 'When it was completed.';
comment on column analytics.kci_gaps.kci1_to_kci2 is 'From acknowledged to committed.';
comment on column analytics.kci_gaps.kci2_to_kci3 is 'From committed to completed.';

create view analytics.time_in_sub_status as
select i.offering_id, e.to_value #>> '{}' as sub_status, count(e.valid_to) as periods,
       percentile_cont(0.5) within group (order by e.valid_to - e.at) as median,
       percentile_cont(0.95) within group (order by e.valid_to - e.at) as p95,
       count(*) - count(e.valid_to) as running
from timeline_entry e
join product_order_item i on i.order_key = e.order_key and i.item_id = e.item_ids[1]
where e.kind = 'item-sub-status'
group by i.offering_id, e.to_value #>> '{}';
comment on view analytics.time_in_sub_status is 'How long items stay in a sub-status, by offering.';
comment on column analytics.time_in_sub_status.offering_id is 'The id of the item''s product offering.';
comment on column analytics.time_in_sub_status.sub_status is 'The sub-status as received.';
comment on column analytics.time_in_sub_status.periods is 'How many periods have ended.';
comment on column analytics.time_in_sub_status.median is 'The middle of their lengths.';
comment on column analytics.time_in_sub_status.p95 is 'The length that 95 of 100 do not exceed.';
comment on column analytics.time_in_sub_status.running is 'How many are in it now.';

create view analytics.missed_appointments as
select h.order_key, h.sender, h.order_id, h.item_id, h.valid_from as at, h.status as reason,
       coalesce(h.fault, 'unknown') as fault, h.window_start, h.window_finish, h.reschedules
from analytics.appointment_history h
join vocabulary v on v.subject = 'appointment-status' and v.compared = lower(h.status)
where v.classes && array['missed', 'rescheduled'];
comment on view analytics.missed_appointments is 'An appointment that did not take place or that was moved, and whose fault it was.';
comment on column analytics.missed_appointments.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.missed_appointments.sender is 'The supplier that posts the order''s events.';
comment on column analytics.missed_appointments.order_id is 'The supplier''s order id; text, zero-padded.';
comment on column analytics.missed_appointments.item_id is 'The item''s id; known inside its order only.';
comment on column analytics.missed_appointments.at is 'When we were told, by the event.';
comment on column analytics.missed_appointments.reason is 'The status that says so.';
comment on column analytics.missed_appointments.fault is 'customer, supplier, or unknown.';
comment on column analytics.missed_appointments.window_start is 'Start of the window in UTC.';
comment on column analytics.missed_appointments.window_finish is 'End of the window in UTC.';
comment on column analytics.missed_appointments.reschedules is 'How often the window had moved by then.';

create view analytics.delay_reasons as
select m.code, m.meaning, m.fault, count(*) as messages, count(distinct m.order_key) as orders,
       min(m.at) as first_at, max(m.at) as last_at
from analytics.messages m
where m.classes && array['delay', 'access-failed', 'missed']
group by m.code, m.meaning, m.fault;
comment on view analytics.delay_reasons is 'Messages of delay: how often, in how many orders, whose fault.';
comment on column analytics.delay_reasons.code is 'The code of the message.';
comment on column analytics.delay_reasons.meaning is 'What it means, by the vocabulary.';
comment on column analytics.delay_reasons.fault is 'customer or supplier, by the vocabulary.';
comment on column analytics.delay_reasons.messages is 'How often it was sent.';
comment on column analytics.delay_reasons.orders is 'To how many orders.';
comment on column analytics.delay_reasons.first_at is 'When it was sent first.';
comment on column analytics.delay_reasons.last_at is 'When it was sent last.';

create view analytics.lead_time as
select o.order_key, o.sender, o.order_id,
       (select i.offering_id from product_order_item i
        where i.order_key = o.order_key and i.parent_item_id is null order by i.item_id limit 1) as offering_id,
       o.first_event_at, g.kci3_at as completed_at, g.kci3_at - o.first_event_at as lead_time
from product_order o
left join analytics.kci_gaps g on g.order_key = o.order_key;
comment on view analytics.lead_time is 'How long an order took, from its first event to the milestone of completion.';
comment on column analytics.lead_time.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.lead_time.sender is 'The supplier that posts the order''s events.';
comment on column analytics.lead_time.order_id is 'The supplier''s order id; text, zero-padded.';
comment on column analytics.lead_time.offering_id is 'The offering of the first root item.';
comment on column analytics.lead_time.first_event_at is 'Time of the earliest event.';
comment on column analytics.lead_time.completed_at is 'When KCI3 was reached; null where it is not.';
comment on column analytics.lead_time.lead_time is 'From the one to the other.';

create view analytics.first_date_hit_rate as
select date_trunc('week', c.at at time zone 'Europe/London')::date as week, i.offering_id, count(*) as completed,
       count(*) filter (where c.on_time) as on_time, round(avg(c.on_time::integer), 3) as hit_rate
from (
    select m.order_key, m.item_ids[1] as item_id, min(m.at) as at,
           bool_or((m.at at time zone 'Europe/London')::date
                   <= ((d.to_value #>> '{}')::timestamptz at time zone 'Europe/London')::date) as on_time
    from timeline_entry m
    join timeline_entry d on d.order_key = m.order_key and d.item_ids = m.item_ids and d.kind = 'expected-date'
         and (d.facts ->> 'first')::boolean and d.facts ->> 'inTextOf' is null
         and d.to_value #>> '{}' ~ '^\d{4}-\d\d-\d\dT.*Z$'
    where m.kind = 'item-state' and lower(m.to_value #>> '{}') = 'completed'
    group by m.order_key, m.item_ids
) c
join product_order_item i on i.order_key = c.order_key and i.item_id = c.item_id
group by 1, i.offering_id;
comment on view analytics.first_date_hit_rate is 'Items completed on or before the first date that was committed, by week of completion and offering.';
comment on column analytics.first_date_hit_rate.week is 'The Monday of the week of completion, in London.';
comment on column analytics.first_date_hit_rate.offering_id is 'The id of the item''s product offering.';
comment on column analytics.first_date_hit_rate.completed is 'Items completed that had a first date.';
comment on column analytics.first_date_hit_rate.on_time is 'Those completed on or before it.';
comment on column analytics.first_date_hit_rate.hit_rate is 'Their share.';

create view analytics.feed_health as
select d.sender, (d.received_at at time zone 'UTC')::date as day, count(*) as deliveries,
       count(*) filter (where d.outcome = 'applied') as applied, count(*) filter (where d.outcome = 'duplicate') as duplicates,
       count(*) filter (where d.outcome = 'conflict') as conflicts,
       count(*) filter (where d.outcome = 'quarantined') as quarantined,
       count(*) filter (where d.oddities <> '[]') as odd, sum(d.body_length)::bigint as bytes,
       max(d.received_at) as last_received_at
from delivery d
group by d.sender, (d.received_at at time zone 'UTC')::date;
comment on view analytics.feed_health is 'A sender''s feed by day of receipt.';
comment on column analytics.feed_health.sender is 'The supplier that sent it.';
comment on column analytics.feed_health.day is 'The day of receipt, UTC.';
comment on column analytics.feed_health.deliveries is 'Bodies received.';
comment on column analytics.feed_health.applied is 'New events.';
comment on column analytics.feed_health.duplicates is 'The same event again.';
comment on column analytics.feed_health.conflicts is 'The same event with other content.';
comment on column analytics.feed_health.quarantined is 'Kept but not placed.';
comment on column analytics.feed_health.odd is 'Bodies with deviations.';
comment on column analytics.feed_health.bytes is 'Bytes received.';
comment on column analytics.feed_health.last_received_at is 'When the last body of the day came.';

-- An order's timeline as we knew it at a time: what was known by then and not made anew by then.
create function analytics.timeline_as_known(order_key uuid, known_at timestamptz)
returns table (at timestamptz, at_estimated boolean, received_at timestamptz, late boolean, event_id text,
               delivery_id uuid, kind text, item_ids text[], name text, from_value jsonb, to_value jsonb, sentence text,
               known_from timestamptz, known_until timestamptz)
language sql stable
-- Analysts may read what it gives and not the tables that it reads.
security definer set search_path = public, pg_temp
as $$
    select k.at, k.at_estimated, k.received_at, k.late, k.event_id, k.delivery_id, k.kind, k.item_ids, k.name,
           k.from_value, k.to_value, k.sentence, k.known_from, k.known_until
    from (
        select e.at, e.at_estimated, e.received_at, e.late, e.event_id, e.delivery_id, e.kind, e.item_ids, e.name,
               e.from_value, e.to_value, e.sentence, e.known_from, null::timestamptz as known_until,
               e.event_position, e.ordinal
        from timeline_entry e
        where e.order_key = timeline_as_known.order_key and e.known_from <= known_at
        union all
        select p.at, p.at_estimated, p.received_at, p.late, p.event_id, p.delivery_id, p.kind, p.item_ids, p.name,
               p.from_value, p.to_value, p.sentence, p.known_from, p.known_until, p.event_position, p.ordinal
        from past_entry p
        where p.order_key = timeline_as_known.order_key and p.known_from <= known_at and p.known_until > known_at
    ) k
    order by k.at, k.event_position, k.ordinal
$$;
comment on function analytics.timeline_as_known(uuid, timestamptz) is
    'An order''s timeline as we knew it at a time: analytics.timeline_as_known(order_key, known_at).';

-- Who may read all of it and nothing else. A role belongs to the whole server: another database may have made it,
-- or be making it now, and where we may not make roles an administrator has to.
do $$
begin
    create role order_timeline_analyst nologin;
exception
    when duplicate_object or unique_violation then null;
    when insufficient_privilege then raise warning 'the role order_timeline_analyst could not be made';
end
$$;
do $$
begin
    if exists (select from pg_roles where rolname = 'order_timeline_analyst') then
        grant usage on schema analytics to order_timeline_analyst;
        grant select on all tables in schema analytics to order_timeline_analyst;
        alter default privileges in schema analytics grant select on tables to order_timeline_analyst;
        grant execute on function analytics.timeline_as_known(uuid, timestamptz) to order_timeline_analyst;
    end if;
end
$$;
revoke execute on function analytics.timeline_as_known(uuid, timestamptz) from public;

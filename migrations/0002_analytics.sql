-- The analysts' contract: views that are changed only by adding. Everything outside this schema is private.

create schema analytics;
comment on schema analytics is 'Order events for analysts. Views here are changed only by adding; all times are UTC.';

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
       i.product_id, i.offering_id, i.service_id, i.expected_completion, i.expected_completion_text,
       i.appointment_id, i.appointment_reference, i.appointment_status, i.appointment_start, i.appointment_finish,
       i.characteristics
from product_order_item i
join product_order o on o.order_key = i.order_key;
comment on view analytics.order_items is 'An item now.';
comment on column analytics.order_items.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.order_items.sender is 'The supplier that posts the order''s events.';
comment on column analytics.order_items.order_id is 'The supplier''s order id.';
comment on column analytics.order_items.item_id is 'The item''s id; known inside its order only.';
comment on column analytics.order_items.parent_item_id is 'The item that contains this one; null for a root item.';
comment on column analytics.order_items.internal_id is 'The supplier''s internal id of the item.';
comment on column analytics.order_items.action is 'add, modify, delete or noChange, as received.';
comment on column analytics.order_items.state is 'The item''s state as received last.';
comment on column analytics.order_items.sub_status is 'The item''s sub-status as received last.';
comment on column analytics.order_items.product_id is 'The product instance''s id.';
comment on column analytics.order_items.offering_id is 'The id of the product offering.';
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
       e.event_id, e.delivery_id, e.kind, e.item_ids, e.name, e.from_value, e.to_value, e.message, e.sentence
from timeline_entry e
join product_order o on o.order_key = e.order_key;
comment on view analytics.timeline is 'An entry of an order''s timeline.';
comment on column analytics.timeline.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.timeline.sender is 'The supplier that posts the order''s events.';
comment on column analytics.timeline.order_id is 'The supplier''s order id.';
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
comment on column analytics.timeline.name is 'What changed where the kind leaves it open: a characteristic''s name, a party''s role.';
comment on column analytics.timeline.from_value is 'The value before, as JSON.';
comment on column analytics.timeline.to_value is 'The value after, as JSON.';
comment on column analytics.timeline.message is 'A message''s code, severity and parts, as JSON.';
comment on column analytics.timeline.sentence is 'The change in words.';

create view analytics.item_state_history as
select h.order_key, o.sender, o.order_id, h.item_id, h.state, h.sub_status, h.valid_from,
       lead(h.valid_from) over (partition by h.order_key, h.item_id order by h.event_position) as valid_to,
       h.event_id, h.delivery_id
from (
    select e.order_key, e.event_position, e.item_ids[1] as item_id, e.at as valid_from, e.event_id, e.delivery_id,
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
    group by e.order_key, e.event_position, e.item_ids, e.at, e.event_id, e.delivery_id
) h
join product_order o on o.order_key = h.order_key;
comment on view analytics.item_state_history is 'An item''s state and sub-status over [valid_from, valid_to), with the event that began it.';
comment on column analytics.item_state_history.order_key is 'Joins the rows of one order across all views.';
comment on column analytics.item_state_history.sender is 'The supplier that posts the order''s events.';
comment on column analytics.item_state_history.order_id is 'The supplier''s order id.';
comment on column analytics.item_state_history.item_id is 'The item''s id; known inside its order only.';
comment on column analytics.item_state_history.state is 'The item''s state in that time, as received.';
comment on column analytics.item_state_history.sub_status is 'The item''s sub-status in that time, as received.';
comment on column analytics.item_state_history.valid_from is 'When it began.';
comment on column analytics.item_state_history.valid_to is 'When the next one began; null while it lasts.';
comment on column analytics.item_state_history.event_id is 'The event that began it.';
comment on column analytics.item_state_history.delivery_id is 'The delivery that said it.';

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

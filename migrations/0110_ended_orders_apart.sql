-- An order that has ended and still contradicts itself waits for nobody: among the orders that do, it would be in the
-- way. It has a reason of its own. The program says the same (src/order/attention.rs).
update attention a set reason = 'ended-unresolved'
from product_order o
where o.order_key = a.order_key and a.reason = 'contradiction'
  and compared(o.state) in ('completed', 'failed', 'cancelled', 'rejected', 'partial');

comment on view analytics.attention is
    'An order that needs a person now, with since when and why; those that have ended with something unresolved have the reason ended-unresolved.';
comment on column analytics.attention.reason is
    'action-needed, access-failed, missed, flagged, delayed, supplier-cancelled, contradiction or silent, of orders that go on; ended-unresolved, of orders that have ended and contradict themselves.';

-- Whose fault a visit was is often told by a message, beside an appointment that is still confirmed.
create or replace view analytics.appointment_history as
select a.order_key, o.sender, o.order_id, a.item_id, e.to_value ->> 'id' as appointment_id,
       e.to_value ->> 'reference' as reference, a.value as status,
       case when e.to_value ->> 'start' ~ '^\d{4}-\d\d-\d\dT.*Z$' then (e.to_value ->> 'start')::timestamptz end as window_start,
       case when e.to_value ->> 'finish' ~ '^\d{4}-\d\d-\d\dT.*Z$' then (e.to_value ->> 'finish')::timestamptz end as window_finish,
       (e.facts ->> 'windowKnown')::boolean as window_known, e.facts ->> 'slot' as slot, e.facts -> 'changed' as changed,
       e.facts ->> 'fault' as fault, (e.facts ->> 'reschedules')::integer as reschedules,
       (select max(i.characteristics ->> 'ATT_RT_numberOfAbortiveVisits')
        from product_order_item i where i.order_key = a.order_key) as abortive_visits,
       a.at as valid_from, e.valid_to, e.event_id, e.delivery_id, e.facts ->> 'faultCode' as fault_code
from entry_value a
left join product_order o on o.order_key = a.order_key
left join timeline_entry e
    on e.order_key = a.order_key and e.event_position = a.event_position and e.ordinal = a.ordinal
where a.kind = 'appointment';
comment on column analytics.appointment_history.fault_code is
    'The code of the message of the same event that says whose fault it is; null where the status says it, and where nothing does.';

create or replace view analytics.missed_appointments as
select m.order_key, o.sender, o.order_id, coalesce(m.item_id, e.item_ids[1]) as item_id, m.at, m.value as reason,
       m.missed as fault,
       case when e.to_value ->> 'start' ~ '^\d{4}-\d\d-\d\dT.*Z$' then (e.to_value ->> 'start')::timestamptz end as window_start,
       case when e.to_value ->> 'finish' ~ '^\d{4}-\d\d-\d\dT.*Z$' then (e.to_value ->> 'finish')::timestamptz end as window_finish,
       (e.facts ->> 'reschedules')::integer as reschedules,
       case m.kind when 'message' then m.value else e.facts ->> 'faultCode' end as fault_code
from entry_value m
left join product_order o on o.order_key = m.order_key
left join timeline_entry e
    on e.order_key = m.order_key and e.event_position = m.event_position and e.ordinal = m.ordinal
where m.missed is not null;
comment on column analytics.missed_appointments.fault_code is
    'The code of the message that says so, or whose fault it is; null where the appointment''s status says both.';

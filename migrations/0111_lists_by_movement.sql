-- Lists go by when an order moved last as far as anybody could know: an event that is dated ahead of its receipt counts from
-- its receipt, or one of the year 9999 would stand first for ever. The indexes take the place of those by the event's own
-- time. The program says the same (src/store/order_list.rs).
drop index product_order_by_last_event;
create index product_order_by_movement on product_order ((least(last_event_at, last_received_at)), order_key);

drop index product_order_by_state;
create index product_order_by_state on product_order
    (regexp_replace(lower(state), '[^[:alnum:]]', '', 'g'), (least(last_event_at, last_received_at)), order_key);

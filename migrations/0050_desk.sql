-- What the pages look for. Each index serves one list and costs a little at every write of its rows.

-- Lists of a state, the newest event first, whatever the spelling: states compare without case, spaces and
-- punctuation. Without it a state that few of a million orders have would take a look at all of them.
create index product_order_by_state on product_order
    (regexp_replace(lower(state), '[^[:alnum:]]', '', 'g'), last_event_at, order_key);

-- Visits missed or moved, the latest first. Only entries that may be one are in it: a few for every hundred orders.
create index timeline_entry_visit on timeline_entry (at, order_key, event_position, ordinal)
    where kind = 'appointment' and (facts ->> 'fault' is not null or facts -> 'changed' ? 'window');

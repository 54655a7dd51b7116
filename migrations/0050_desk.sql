-- What the pages look for. Each index serves one list and costs a little at every write of its rows.

-- Lists of a state, the newest event first, whatever the spelling: states compare without case, spaces and
-- punctuation. Without it a state that few of a million orders have would take a look at all of them.
create index product_order_by_state on product_order
    (regexp_replace(lower(state), '[^[:alnum:]]', '', 'g'), last_event_at, order_key);

-- Visits missed or moved, by fault and the latest first. Only such entries are in it.
create index timeline_entry_visit on timeline_entry
    (coalesce(facts ->> 'fault', 'unknown'), at, order_key, event_position, ordinal)
    where kind = 'appointment' and (facts ->> 'fault' is not null
        or facts -> 'changed' ? 'window' and from_value ->> 'start' <> from_value ->> 'finish');

-- Ids are found however they are typed: case does not count, and an event's id is found by its beginning, too.
--
-- Each index takes the place of one that served spelled-out ids only, so a delivery writes as many as before.

drop index identifier_by_value;
create index identifier_by_value on identifier (lower(value) text_pattern_ops);

-- The event's own key is a hash, which has no beginning. Senders may send ids of any length; an index row may not
-- have it.
drop index event_by_key;
create index delivery_by_event_id on delivery (left(lower(event_id), 64) text_pattern_ops) where event_id is not null;

-- Deliveries as received, and the projection of each order that is made of them.
--
-- Every table is keyed by order_key first: the first 16 bytes of SHA-256 over sender and order id, or over
-- sender and body where a body names no order. All rows of an order share it, so the same schema can be
-- distributed by it; there are no triggers, no foreign keys across orders and no volatile functions in
-- upserts for the same reason.

-- One row for each authenticated request body.
create table delivery (
    order_key uuid not null,
    -- A version 7 UUID made at receipt: deliveries sort by it in order of receipt.
    delivery_id uuid not null,
    sender text not null,
    -- When the service first held the whole body.
    received_at timestamptz not null,
    -- The path it was posted to, or where it was ingested from. For people; nothing depends on it.
    origin text not null,
    -- Header names and values, secrets redacted.
    headers jsonb not null,
    -- The length as received; larger than what is kept where the body was too large.
    body_length bigint not null,
    body_hash bytea not null,
    outcome text not null,
    -- The delivery that was first with this content (duplicate), or that counts in this one's stead (conflict).
    related_delivery_id uuid,
    -- Why it is quarantined: a stable code, a sentence, and the JSON path where there is one.
    reason_code text,
    reason text,
    reason_path text,
    order_id text,
    event_id text,
    event_type text,
    -- The event's own time in UTC, and its text as received.
    event_time timestamptz,
    event_time_text text,
    -- [{path, kind}]: deviations that were tolerated.
    oddities jsonb not null,
    constraint delivery_pk primary key (order_key, delivery_id),
    constraint delivery_outcome_known check (outcome in ('applied', 'duplicate', 'conflict', 'quarantined'))
);
-- Look-up by id alone, and listing in order of receipt.
create index delivery_by_id on delivery (delivery_id);
create index delivery_quarantined on delivery (delivery_id) where outcome = 'quarantined';

-- The exact bytes, apart from the small rows that are searched, and partitioned by time so that old bodies
-- can be dropped without touching anything else.
create table delivery_body (
    order_key uuid not null,
    received_at timestamptz not null,
    delivery_id uuid not null,
    body bytea not null,
    constraint delivery_body_pk primary key (order_key, received_at, delivery_id)
) partition by range (received_at);
create table delivery_body_default partition of delivery_body default;

-- The distinct contents of each event: what duplicates and conflicts are told by, for ever.
create table event (
    order_key uuid not null,
    -- SHA-256 of the event id, or the content's hash where there is none.
    event_key bytea not null,
    content_hash bytea not null,
    -- The delivery that was first with this content.
    delivery_id uuid not null,
    received_at timestamptz not null,
    constraint event_pk primary key (order_key, event_key, content_hash)
);
create index event_by_key on event (event_key);

-- A row to lock: whoever changes an order's projection holds its claim until the commit. Apart from the
-- order's own row because it is written each time, and should stay small.
create table order_claim (
    order_key uuid not null,
    claims bigint not null,
    constraint order_claim_pk primary key (order_key)
) with (fillfactor = 70);

-- An order now.
create table product_order (
    order_key uuid not null,
    sender text not null,
    order_id text not null,
    external_id text,
    state text not null,
    state_reason text not null,
    -- The time of the first and of the last event, and of the last receipt of one that counts.
    first_event_at timestamptz not null,
    last_event_at timestamptz not null,
    last_received_at timestamptz not null,
    events bigint not null,
    -- The state of the fold after the last event, so that the next one need not read the others again.
    fold bytea not null,
    -- The form of that state; another program's form is not read but made anew from the deliveries.
    fold_version integer not null,
    constraint product_order_pk primary key (order_key)
) with (fillfactor = 80);
create index product_order_by_last_event on product_order (last_event_at, order_key);
create index product_order_by_order_id on product_order (order_id);
create index product_order_by_sender on product_order (sender);

-- An item now.
create table product_order_item (
    order_key uuid not null,
    item_id text not null,
    parent_item_id text,
    internal_id text,
    action text,
    state text,
    sub_status text,
    product_id text,
    offering_id text,
    service_id text,
    expected_completion timestamptz,
    expected_completion_text text,
    appointment_id text,
    appointment_reference text,
    appointment_status text,
    appointment_start timestamptz,
    appointment_finish timestamptz,
    -- {name: value}
    characteristics jsonb not null,
    constraint product_order_item_pk primary key (order_key, item_id)
);

-- A change, in the order in which it is told: by the event's place in time, then within the event.
create table timeline_entry (
    order_key uuid not null,
    event_position bigint not null,
    ordinal integer not null,
    at timestamptz not null,
    at_estimated boolean not null,
    received_at timestamptz not null,
    late boolean not null,
    event_id text,
    delivery_id uuid not null,
    kind text not null,
    item_ids text[] not null,
    name text,
    from_value jsonb,
    to_value jsonb,
    -- A time as received, where the value is it in UTC and it was written in another zone.
    from_text text,
    to_text text,
    -- {code, severity, parts} of a message.
    message jsonb,
    -- What follows from it, by its kind: see the views of analytics.
    facts jsonb,
    sentence text not null,
    -- When the next version of the same thing took its place; null while it holds, and for what has no versions.
    valid_to timestamptz,
    -- The receipt since which we know it: later than received_at where a late event made it anew.
    known_from timestamptz not null,
    constraint timeline_entry_pk primary key (order_key, event_position, ordinal)
);

-- Entries that we knew once, until a late event made them anew: with timeline_entry, what was known at any time.
create table past_entry (
    order_key uuid not null,
    number bigint not null,
    event_position bigint not null,
    ordinal integer not null,
    at timestamptz not null,
    at_estimated boolean not null,
    received_at timestamptz not null,
    late boolean not null,
    event_id text,
    delivery_id uuid not null,
    kind text not null,
    item_ids text[] not null,
    name text,
    from_value jsonb,
    to_value jsonb,
    from_text text,
    to_text text,
    message jsonb,
    facts jsonb,
    sentence text not null,
    known_from timestamptz not null,
    known_until timestamptz not null,
    constraint past_entry_pk primary key (order_key, number)
);

-- Why an order needs a person now.
create table attention (
    order_key uuid not null,
    reason text not null,
    since timestamptz not null,
    why text not null,
    constraint attention_pk primary key (order_key, reason)
);
create index attention_by_reason on attention (reason, since);

-- Values that the vocabulary does not know, by order: the feed teaches us.
create table unknown_value (
    order_key uuid not null,
    subject text not null,
    value text not null,
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    -- Events in which it stood.
    occurrences bigint not null,
    constraint unknown_value_pk primary key (order_key, subject, value)
);

-- What the suppliers' codes mean. A reference table: the same on every node.
create table vocabulary (
    subject text not null,
    -- The value without case, spaces and punctuation: what compares.
    compared text not null,
    value text not null,
    words text not null,
    classes text[] not null,
    fault text,
    milestone text,
    source text not null,
    -- published, inferred, or operator: the last is kept over upgrades.
    confidence text not null,
    constraint vocabulary_pk primary key (subject, compared)
);

-- Every id by which an order can be found, with what it is.
create table identifier (
    order_key uuid not null,
    kind text not null,
    value text not null,
    constraint identifier_pk primary key (order_key, kind, value)
);
-- Exact and prefix search, whatever the database's collation.
create index identifier_by_value on identifier (value text_pattern_ops);

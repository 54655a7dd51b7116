-- What was known of an event at a time stands in the order in which it was told.

-- Of an event, entries of different tellings may have been known at once, and each telling counts its own: an entry's
-- kind says what it is told before. The tens are the stages of an event, of which the items' are told item by item. The
-- program says the same (src/record/known.rs).
create function told_rank(kind text, item_ids text[], name text) returns integer
language sql immutable parallel safe
return case
    when kind = 'order-created' then 0
    when kind = 'message' then 30
    when kind = 'expected-date' and name = 'in message text' then 40
    when kind = 'milestone' then 50
    when kind = 'order-state' then 60
    when kind = 'contradiction' then 70
    when kind = 'conflict' then 80
    when item_ids = '{}' then 10
    when kind = 'item-added' then 20
    when kind = 'characteristic' and name in ('action', 'internalId', 'productId', 'productOffering') then 21
    when kind = 'item-state' then 22
    when kind = 'item-sub-status' then 23
    when kind = 'expected-date' then 24
    when kind = 'appointment' then 25
    when kind = 'service-id' then 27
    else 26
end;

create or replace function analytics.timeline_as_known(order_key uuid, known_at timestamptz)
returns table (at timestamptz, at_estimated boolean, received_at timestamptz, late boolean, event_id text,
               delivery_id uuid, kind text, item_ids text[], name text, from_value jsonb, to_value jsonb, sentence text,
               known_from timestamptz, known_until timestamptz)
language sql stable
-- Analysts may read what it gives and not the tables that it reads.
security definer set search_path = public, pg_temp
as $$
    with known as (
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
    ),
    -- An event's place may be another one in every telling, too; its entries stand together all the same.
    placed as (
        select k.*, coalesce(k.event_id, k.delivery_id::text) as event,
               min(k.event_position) over (partition by k.at, coalesce(k.event_id, k.delivery_id::text)) as place,
               told_rank(k.kind, k.item_ids, k.name) as rank
        from known k
    ),
    told as (
        select p.*,
               min(p.ordinal) over (partition by p.at, p.event, p.rank / 10, case p.rank / 10 when 2 then p.item_ids end) as item
        from placed p
    )
    select k.at, k.at_estimated, k.received_at, k.late, k.event_id, k.delivery_id, k.kind, k.item_ids, k.name,
           k.from_value, k.to_value, k.sentence, k.known_from, k.known_until
    from told k
    order by k.at, k.place, k.event, k.rank / 10, k.item, case k.rank / 10 when 2 then k.item_ids end, k.rank, k.ordinal,
             k.item_ids, k.sentence
$$;

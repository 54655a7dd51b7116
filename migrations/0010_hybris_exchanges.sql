-- What goes on with the billing systems (BSS) behind the Hybris front door, so that nothing is placed twice.
--
-- A row is written before the BSS is called and holds all that has to be kept: whatever happens after that,
-- the row tells that a call may have been made, and what was sent. Once the answer is here, it is written into the
-- row first; request and answer become deliveries of the order's timeline then. The key is the first 16 bytes of
-- SHA-256 over sender and correlation id, and what the table can be distributed by.
create table hybris_exchange (
    exchange_key uuid not null,
    sender text not null,
    correlation_id text not null,
    -- SHA-256 of the request's bytes: the same correlation id with another body is refused.
    body_hash bytea not null,
    -- How often it was tried; again only where nothing can have been placed.
    tries bigint not null,
    -- sent: the BSS may have been called. not-sent: it was not reached. answered: it took the order or refused it.
    -- unknown: it was called, and nobody knows whether it placed the order.
    state text not null,
    request bytea not null,
    -- Secrets redacted.
    request_headers jsonb not null,
    request_origin text not null,
    request_delivery_id uuid not null,
    received_at timestamptz not null,
    -- When an answer can no longer come.
    due_at timestamptz not null,
    -- The order that the request and the answer are told of.
    order_id text not null,
    -- What was answered to whoever asked, and is again.
    answer_status integer,
    answer bytea,
    answer_delivery_id uuid,
    answered_at timestamptz,
    -- What the BSS sent, where that could not be passed on.
    unreadable_answer bytea,
    -- Request and answer are in the order's timeline.
    kept boolean not null,
    constraint hybris_exchange_pk primary key (exchange_key),
    constraint hybris_exchange_state_known check (state in ('sent', 'not-sent', 'answered', 'unknown'))
);
create index hybris_exchange_open on hybris_exchange (received_at) where state = 'sent' or not kept;
create index hybris_exchange_unsettled on hybris_exchange (received_at) where state in ('sent', 'unknown');

-- Who may post, and who may read and operate. Small tables, the same on every node: reference tables.
--
-- A secret that this program made has 256 random bits: nobody can guess it from its SHA-256, however fast that is
-- computed, and it is checked with every request. One that a person chose is kept as Argon2id. Keys that have to
-- be computed with (of signatures, ours and webhooks') are here as they are: the database and its backups are to
-- be guarded as what they are.

create table sender (
    sender text not null,
    enabled boolean not null,
    -- An operator has set it up. Never taken back: what was closed once must not open by itself.
    set_up boolean not null,
    -- What acknowledges its deliveries; null for what the service is told.
    ack_status integer,
    -- What its deliveries must show, by way.
    demands jsonb not null,
    changed_at timestamptz not null,
    constraint sender_pk primary key (sender),
    constraint sender_ack_status_success check (ack_status between 200 and 299)
);

create table sender_secret (
    sender text not null,
    secret_id uuid not null,
    way text not null,
    -- sha256:…, $argon2id$…, or whsec_… as it is.
    secret text not null,
    created_at timestamptz not null,
    -- When it no longer holds; null while it is the latest.
    expires_at timestamptz,
    constraint sender_secret_pk primary key (sender, secret_id),
    constraint sender_secret_way_known check (way in ('oauth', 'basic', 'bearer', 'webhook'))
);

-- What our own tokens are signed with. A new one is made known before it is used, an old one is kept until the
-- last token that it signed has expired.
create table signing_key (
    key_id uuid not null,
    key bytea not null,
    created_at timestamptz not null,
    constraint signing_key_pk primary key (key_id)
);

create table api_key (
    key_id uuid not null,
    name text not null,
    scopes text[] not null,
    secret text not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    constraint api_key_pk primary key (key_id),
    constraint api_key_name_unique unique (name)
);

-- Sign-ins on their way to the issuer and back.
create table sign_in (
    state_hash bytea not null,
    nonce text not null,
    verifier text not null,
    return_to text not null,
    expires_at timestamptz not null,
    constraint sign_in_pk primary key (state_hash)
);

create table session (
    session_hash bytea not null,
    -- Who: the issuer's subject, or the name of the key that was signed in with.
    subject text not null,
    name text not null,
    scopes text[] not null,
    -- Ends with this key.
    key_id uuid,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null,
    constraint session_pk primary key (session_hash)
);
create index session_by_expiry on session (expires_at);

-- Roles of analysts who see the orders of certain parties only.
create table analyst_party (
    role_name text not null,
    party text not null,
    constraint analyst_party_pk primary key (role_name, party)
);

-- The sender that comes configured, and those of the front door. They have no secrets yet.
insert into sender (sender, enabled, set_up, demands, changed_at)
select name, true, false, '{"oauth": {}}', now()
from unnest(array['bt-wholesale', 'hybris-pr', 'hybris-jm', 'hybris-pa']) name;

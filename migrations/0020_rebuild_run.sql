-- How far a rebuild has come, so that an interrupted one goes on where it was. Not of an order: a small
-- table that stays where the program connects to when the others are distributed.
create table rebuild_run (
    rebuild_run_id uuid not null,
    -- The program's version and the form of its fold: another program begins anew.
    program text not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    -- All keys of this stage up to this one are done, and all stages before it.
    stage text not null,
    after_key uuid not null,
    orders bigint not null,
    deliveries bigint not null,
    -- Deliveries that were quarantined and no longer are.
    healed bigint not null,
    -- Orders whose rows are other ones than before.
    changed bigint not null,
    -- Orders that could not be made anew and stay as they were.
    left_alone bigint not null,
    constraint rebuild_run_pk primary key (rebuild_run_id),
    constraint rebuild_run_stage_known check (stage in ('quarantined', 'orders', 'orphans'))
);

-- "22 days 31:17:05" is 23 days and some hours.
create or replace view analytics.time_in_sub_status as
select nullif(n.offering_id, '') as offering_id, n.sub_status, n.periods, justify_hours(n.median) as median,
       justify_hours(n.p95) as p95, n.running, n.learned_at
from silence_norm n
where n.learned_at is not null;

comment on column analytics.lead_time.completed_at is
    'When KCI3 was reached first, of whichever item; others may reach it later. Null where it is not reached.';
comment on column analytics.lead_time.lead_time is 'From the first event to completed_at.';

comment on column analytics.expected_date_history.reason_code is
    'The code of the message that explains it: in the same event, or one whose text named this date before. Null where none does.';

-- The server looks through samples of each table in the background, again and again while it grows: what it learns of a
-- column serves the planner where a query compares, groups or joins by it. Of the following columns no query does so;
-- they are the widest there are, and to sort samples of them takes the server's time from those who write.
alter table delivery alter column headers set statistics 0, alter column oddities set statistics 0,
    alter column body_hash set statistics 0, alter column reason set statistics 0;
alter table product_order alter column fold set statistics 0, alter column state_reason set statistics 0;
alter table product_order_item alter column characteristics set statistics 0;
alter table timeline_entry alter column sentence set statistics 0, alter column from_value set statistics 0,
    alter column to_value set statistics 0, alter column message set statistics 0, alter column facts set statistics 0,
    alter column item_ids set statistics 0;
alter table past_entry alter column sentence set statistics 0, alter column from_value set statistics 0,
    alter column to_value set statistics 0, alter column message set statistics 0, alter column facts set statistics 0,
    alter column item_ids set statistics 0;

-- Bodies are read by their keys alone, so of their partitions it need not learn anything.
do $$
declare
    partition regclass;
begin
    for partition in select inhrelid from pg_inherits where inhparent = 'delivery_body'::regclass loop
        execute format('alter table %s set (autovacuum_analyze_threshold = 2147483647)', partition);
    end loop;
end
$$;

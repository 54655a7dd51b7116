-- An entry's and a version's end is written when the next one begins, soon after it was written itself. Where no index
-- holds the end, and the page has room, the server changes the row in its page and leaves every index as it is.
drop index timeline_entry_contradiction;
create index timeline_entry_contradiction on timeline_entry (at, order_key)
    where kind = 'contradiction' and (facts ->> 'open')::boolean;
alter table timeline_entry set (fillfactor = 90);
alter table item_version set (fillfactor = 90);

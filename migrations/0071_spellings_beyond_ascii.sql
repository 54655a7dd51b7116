-- Values beyond ASCII compare as they do in the fold, whatever the database's locale calls a letter.

-- Every server tells letters of ASCII; those beyond it need ICU, which all of PostgreSQL's packages bring. Where there is
-- none the function stays as it is. The program says the same (src/order/spelling.rs): it counts numbers that are no
-- digits (½, ², Ⅷ) and the iota below a letter among the letters, and a sigma is one wherever it stands in a word.
do $do$
begin
    if current_setting('server_encoding') <> 'UTF8'
        or not exists (
            select from pg_collation
            where collname = 'und-x-icu' and collnamespace = 'pg_catalog'::regnamespace)
    then
        raise notice 'this server has no ICU: letters beyond ASCII compare as the locale of the database has them';
        return;
    end if;
    -- Not strict, so that the planner can put it in place: of null it makes null all the same.
    execute $create$
        create or replace function compared(value text) returns text
        language sql immutable parallel safe
        return case
            -- Nearly all of them, and far quicker.
            when octet_length(value) = length(value)
                then regexp_replace(lower(value collate "C"), '[^[:alnum:]]', '', 'g') collate "default"
            else lower(replace(
                regexp_replace(
                value collate "und-x-icu",
                '[^[:alnum:]\u00B2\u00B3\u00B9\u00BC-\u00BE\u0345\u0363-\u036F\u2070\u2074-\u2079\u2080-\u2089\u2150-\u2189\u2460-\u249B\u24B6-\u24FF\u2776-\u2793]',
                '', 'g'), U&'\03A3', U&'\03C3')) collate "default"
        end
    $create$;
end
$do$;

-- What is made of it is made anew.
update silence_norm set sub_status = sub_status;

//! Analysts who see certain parties' orders only.

use sqlx::{AssertSqlSafe, Connection, Row};

use crate::app::{TestApp, TestDatabase};
use crate::app::{out, run};

/// What a role sees of a query: its rows' text, or the error.
async fn seen(database: &TestDatabase, role: &str, sql: &str) -> Result<Vec<String>, String> {
    let mut connection = sqlx::PgConnection::connect_with(&database.options).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("set role {role}"))).execute(&mut connection).await.unwrap();
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await;
    let rows = rows.map_err(|cause| cause.to_string())?;
    Ok(rows.iter().map(|row| row.get::<String, _>(0)).collect())
}

/// The orders that a function of the role's own, which costs next to nothing and so is asked before all else, is shown by
/// a query that gives none of them.
async fn peeked(database: &TestDatabase, role: &str, view: &str) -> Vec<String> {
    let mut connection = sqlx::PgConnection::connect_with(&database.options).await.unwrap();
    let peek = "create function pg_temp.peek(text) returns boolean language plpgsql cost 0.0000001 as
                $$ begin insert into pg_temp.peeked values ($1); return true; end $$";
    // A plan that reads whole tables has the most to show.
    for sql in [
        "set enable_nestloop = off".to_owned(),
        format!("set role {role}"),
        "create temporary table peeked (order_id text)".to_owned(),
        peek.to_owned(),
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    let sql = format!("select count(*) from {view} where pg_temp.peek(order_id)");
    sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    let rows = sqlx::query("select distinct order_id from pg_temp.peeked order by order_id");
    rows.fetch_all(&mut connection).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_role_sees_its_parties_orders_and_nothing_else() {
    let app = TestApp::start().await;
    app.deliver_all().await;
    let database = &app.database;
    // Roles are the whole server's, other tests' too.
    let name = |prefix: &str| format!("{prefix}_{}", database.options.get_database().unwrap());
    let (role, member, other) = (name("r"), name("m"), name("o"));
    let told = out(&run(database, &["analysts", "add", &role, "--party", "CUG5009999999"]).await);
    assert!(told.contains("analytics_by_party"), "{told}");
    out(&run(database, &["analysts", "add", &other, "--party", "CUG0000000000"]).await);
    database.execute(&format!("create role {member} in role {role}")).await;

    let orders = "select order_id from analytics_by_party.orders order by order_id";
    let named = "select distinct o.order_id from product_order o join identifier i using (order_key)
                 where i.kind = 'party-id' and i.value = 'CUG5009999999' order by o.order_id";
    let all = seen(database, "none", "select order_id from product_order").await.unwrap();
    let of_party = seen(database, "none", named).await.unwrap();
    assert!(of_party.contains(&"00125512".to_owned()) && of_party.len() < all.len(), "{of_party:?} of {all:?}");
    assert_eq!(seen(database, &role, orders).await.unwrap(), of_party);
    assert_eq!(seen(database, &member, orders).await.unwrap(), of_party);
    assert_eq!(seen(database, &other, orders).await.unwrap(), Vec::<String>::new());

    let views = "select table_name::text from information_schema.views where table_schema = 'analytics_by_party'";
    let views = seen(database, "none", views).await.unwrap();
    assert!(views.len() > 10 && views.contains(&"timeline".to_owned()), "{views:?}");
    for view in &views {
        let keys = format!("select distinct v.order_key::text from analytics_by_party.{view} v");
        let known = "select order_key::text from analytics_by_party.orders";
        let known = seen(database, &role, known).await.unwrap();
        let keys = seen(database, &role, &keys).await.unwrap();
        assert!(keys.iter().all(|key| known.contains(key)), "{view}: {keys:?}");
    }
    for closed in ["analytics.orders", "product_order", "delivery_body", "analyst_party", "sender_secret", "session"] {
        let refused = seen(database, &role, &format!("select 'x'::text from {closed}")).await.unwrap_err();
        assert!(refused.contains("permission denied"), "{closed}: {refused}");
    }
    assert_eq!(peeked(database, &role, "analytics_by_party.orders").await, of_party);
    // Where nothing stands before the rows, the same function sees them all.
    let bare = "'create view unguarded as ' || pg_get_viewdef('analytics_by_party.orders'::regclass)";
    database.execute(&format!("do $$ begin execute {bare}; end $$")).await;
    database.execute(&format!("grant select on unguarded to {role}")).await;
    assert!(
        peeked(database, &role, "unguarded").await.len() > of_party.len(),
        "a function that sees nothing proves nothing"
    );
    database.execute("drop view unguarded").await;

    // What an upgrade does: the views go, and come again as those of `analytics` are then.
    database.execute("create view analytics.more as select order_key, order_id from product_order").await;
    database.execute("drop table rebuild_run").await;
    database.execute("delete from _sqlx_migrations where version = 20").await;
    database.store.migrate().await.unwrap();
    assert_eq!(seen(database, &role, orders).await.unwrap(), of_party);
    let more = "select order_id from analytics_by_party.more order by order_id";
    assert_eq!(seen(database, &role, more).await.unwrap(), of_party);

    out(&run(database, &["analysts", "add", &role, "--party", "CUG5099999999,CUG0000000000"]).await);
    let listed = out(&run(database, &["analysts", "list"]).await);
    assert!(listed.lines().any(|line| line.starts_with(&role) && line.ends_with("CUG5099999999")), "{listed}");
    out(&run(database, &["analysts", "remove", &role]).await);
    assert!(seen(database, &role, orders).await.unwrap_err().contains("permission denied"));
    // What somebody has made of the views outlives a further role; an upgrade would take it away, and says so.
    out(&run(database, &["analysts", "add", &role, "--party", " CUG5009999999 "]).await);
    database.execute("create view somebodys as select order_id from analytics_by_party.orders").await;
    let told = out(&run(database, &["analysts", "add", &other, "--party", "A, CUG5009999999"]).await);
    assert!(
        told.contains("A: no orders yet") && told.contains(&format!("CUG5009999999: {} order", of_party.len())),
        "{told}"
    );
    assert_eq!(seen(database, &other, orders).await.unwrap(), of_party);
    assert_eq!(database.rows("select * from somebodys limit 0").await.len(), 0);
    database.execute("drop table if exists rebuild_run").await;
    database.execute("delete from _sqlx_migrations where version = 20").await;
    let refused = database.store.migrate().await.unwrap_err().to_string();
    assert!(refused.contains("view somebodys") && refused.contains("analytics_by_party"), "{refused}");
    assert_eq!(seen(database, &other, orders).await.unwrap(), of_party, "it is as it was");
    database.execute("drop view somebodys").await;
    database.store.migrate().await.unwrap();
    assert_eq!(seen(database, &other, orders).await.unwrap(), of_party);
    for (arguments, wrong) in [
        (vec!["analysts", "add", "x", "--party", ""], "empty"),
        (vec!["analysts", "add", "x", "--party", "A, ,B"], "empty"),
        (vec!["analysts", "add", "Robert'); drop table", "--party", "x"], "no name"),
        (vec!["analysts", "add", "order_timeline_analyst", "--party", "x"], "another purpose"),
        (vec!["analysts", "add", "x"], "--party"),
        (vec!["analysts", "remove", "nobody"], "sees no party"),
    ] {
        let output = run(database, &arguments).await;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(wrong), "{arguments:?}: {error}");
    }
    database.execute(&format!("drop owned by {role}, {member}, {other}")).await;
    database.execute(&format!("drop role {role}, {member}, {other}")).await;
    app.stop().await;
}

#[tokio::test]
async fn a_role_that_sees_all_already_is_promised_nothing() {
    let database = TestDatabase::new().await;
    let name = |prefix: &str| format!("{prefix}_{}", database.options.get_database().unwrap());
    let (all, above, mighty) = (name("all"), name("above"), name("mighty"));
    for sql in [
        format!("create role {all}"),
        format!("grant usage on schema analytics to {all}"),
        format!("grant select on analytics.orders to {all}"),
        format!("create role {above} noinherit in role {all}"),
        format!("create role {mighty} superuser"),
    ] {
        database.execute(&sql).await;
    }
    for role in [&all, &above, &mighty] {
        let output = run(&database, &["analysts", "add", role, "--party", "CUG5009999999"]).await;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains("can read all orders already"), "{role}: {told}");
    }
    assert_eq!(database.rows("select * from analyst_party").await.len(), 0);
    database.execute(&format!("drop owned by {all}")).await;
    database.execute(&format!("drop role {above}, {all}, {mighty}")).await;
    database.close().await;
}

//! Roles of analysts who see the orders of certain parties only.
//!
//! They read views of the schema `analytics_by_party`, one for each view of `analytics` that has an order to choose
//! by. The tables have no row security of their own: the views of `analytics` run with their owner's rights, which
//! would pass it by, and views with the reader's rights would need the tables to be granted. A view chooses by a
//! semi-join on the order's key with `identifier`, which is distributed by the same key, and with a small reference
//! table; it runs on Citus as it does here, where its nodes know the role.

use sqlx::postgres::PgDatabaseError;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::analytics::quoted;
use super::{Store, StoreError};

/// A role, and a party whose orders it sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalystParty {
    pub role_name: String,
    pub party: String,
}

impl Store {
    /// Lets a role see the orders of these parties, besides those that it sees already; makes it where there is none.
    /// `role` is a plain name: small letters, digits and underscores.
    ///
    /// # Errors
    /// [`StoreError::SeesAll`] where the role can read other orders all the same; where the database is not available, or
    /// its user may not make roles.
    pub async fn add_analyst(&self, role: &str, parties: &[String]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let is_there = sqlx::query_scalar!(r#"select to_regrole($1) is not null as "there!""#, role);
        if !is_there.fetch_one(&mut *transaction).await? {
            transaction.execute(AssertSqlSafe(format!("create role {} nologin", quoted(role)))).await?;
        }
        if sees_all(&mut transaction, role).await? {
            return Err(StoreError::SeesAll(role.to_owned()));
        }
        sqlx::query!(
            "insert into analyst_party (role_name, party) select $1, unnest($2::text[])
             on conflict on constraint analyst_party_pk do nothing",
            role,
            parties
        )
        .execute(&mut *transaction)
        .await?;
        make_views(&mut transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// How many orders name each of these parties now, or once did.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn orders_of_parties(&self, parties: &[String]) -> Result<Vec<(String, i64)>, StoreError> {
        let counts = sqlx::query!(
            r#"select p.party as "party!", (select count(distinct i.order_key) from identifier i
                                            where i.kind = 'party-id' and i.value = p.party) as "orders!"
               from unnest($1::text[]) with ordinality p (party, place) order by p.place"#,
            parties
        );
        Ok(counts.fetch_all(&self.pool).await?.into_iter().map(|row| (row.party, row.orders)).collect())
    }

    /// Who sees what, by role and party.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn analysts(&self) -> Result<Vec<AnalystParty>, StoreError> {
        let all = sqlx::query_as!(AnalystParty, "select role_name, party from analyst_party order by role_name, party");
        Ok(all.fetch_all(&self.pool).await?)
    }

    /// Lets a role see nothing any more; whether it saw anything. The role itself stays: others may have granted it
    /// more.
    ///
    /// # Errors
    /// Where the database is not available.
    pub async fn remove_analyst(&self, role: &str) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let removed = sqlx::query!("delete from analyst_party where role_name = $1", role);
        let removed = removed.execute(&mut *transaction).await?.rows_affected() > 0;
        let is_there = sqlx::query_scalar!(r#"select to_regrole($1) is not null as "there!""#, role);
        if removed && is_there.fetch_one(&mut *transaction).await? {
            for revoke in [
                "revoke select on all tables in schema analytics_by_party from",
                "revoke usage on schema analytics_by_party from",
            ] {
                transaction.execute(AssertSqlSafe(format!("{revoke} {}", quoted(role)))).await?;
            }
        }
        transaction.commit().await?;
        Ok(removed)
    }
}

/// Whether a role, or one that it can become, reads what is of all orders.
async fn sees_all(connection: &mut PgConnection, role: &str) -> Result<bool, StoreError> {
    let asked = sqlx::query_scalar!(
        r#"select exists (
               select from pg_roles r
               cross join pg_class c join pg_namespace n on n.oid = c.relnamespace
               where pg_has_role(to_regrole($1), r.oid, 'member')
                 and c.relkind in ('r', 'p', 'v', 'm')
                 and (n.nspname = 'analytics'
                      or c.oid in ('delivery'::regclass, 'delivery_body'::regclass, 'product_order'::regclass,
                                   'timeline_entry'::regclass, 'identifier'::regclass))
                 and has_schema_privilege(r.oid, n.oid, 'usage')
                 and has_any_column_privilege(r.oid, c.oid, 'select')
           ) as "sees!""#,
        role
    );
    Ok(asked.fetch_one(connection).await?)
}

/// Makes the views that are not there yet, where there are analysts, and lets all of them read.
pub(super) async fn make_views(connection: &mut PgConnection) -> Result<(), StoreError> {
    let roles = sqlx::query_scalar!(
        r#"select distinct role_name as "role!" from analyst_party where to_regrole(role_name) is not null"#
    );
    let roles = roles.fetch_all(&mut *connection).await?;
    if roles.is_empty() {
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    transaction.execute("create schema if not exists analytics_by_party").await?;
    let views = sqlx::query_scalar!(
        r#"select c.relname::text as "name!" from pg_class c
           join pg_namespace n on n.oid = c.relnamespace
           join pg_attribute a on a.attrelid = c.oid and a.attname = 'order_key' and not a.attisdropped
           where n.nspname = 'analytics' and c.relkind = 'v'
             and to_regclass(format('analytics_by_party.%I', c.relname)) is null
           order by c.relname"#
    );
    for view in views.fetch_all(&mut *transaction).await? {
        // A barrier: no function of the reader's is shown a row before it is chosen.
        let view = quoted(&view);
        let make = format!(
            "create view analytics_by_party.{view} with (security_barrier) as
             select v.* from analytics.{view} v
             where v.order_key in (
                 select i.order_key from identifier i join analyst_party p on p.party = i.value
                 where i.kind = 'party-id' and pg_has_role(to_regrole(p.role_name), 'member'))"
        );
        transaction.execute(AssertSqlSafe(make)).await?;
    }
    for role in roles {
        let role = quoted(&role);
        for grant in [
            format!("grant usage on schema analytics_by_party to {role}"),
            format!("grant select on all tables in schema analytics_by_party to {role}"),
        ] {
            transaction.execute(AssertSqlSafe(grant)).await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// Takes the views away: a migration cannot change a view that others look through. All of them go, or none.
///
/// # Errors
/// [`StoreError::Schema`] where somebody has built on them, which is not ours to take away; says what that is.
pub(super) async fn drop_views(connection: &mut PgConnection) -> Result<(), StoreError> {
    let views = sqlx::query_scalar!(
        r#"select string_agg(format('%I.%I', n.nspname, c.relname), ', ') as "views" from pg_class c
           join pg_namespace n on n.oid = c.relnamespace
           where n.nspname = 'analytics_by_party' and c.relkind = 'v'
             and to_regclass(format('analytics.%I', c.relname)) is not null"#
    );
    let Some(views) = views.fetch_one(&mut *connection).await? else { return Ok(()) };
    let Err(cause) = connection.execute(AssertSqlSafe(format!("drop view {views}"))).await else { return Ok(()) };
    let in_the_way = cause
        .as_database_error()
        .and_then(|cause| cause.try_downcast_ref::<PgDatabaseError>())
        .filter(|cause| cause.code() == DEPENDENT_OBJECTS_STILL_EXIST);
    Err(match in_the_way {
        Some(cause) => StoreError::Schema(format!(
            "the views of analytics_by_party have to be made anew, and something was built on them that would go with \
             them: {}. Keep its definition, drop it, and make it again after the update",
            cause.detail().unwrap_or_default().replace('\n', "; ")
        )),
        None => cause.into(),
    })
}

const DEPENDENT_OBJECTS_STILL_EXIST: &str = "2BP01";

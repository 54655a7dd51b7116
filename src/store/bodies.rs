//! How long bodies are kept: they lie in a partition for each month of receipt, so that old ones go all at once.
//!
//! What was made of them stays, and so do the deliveries and the events' keys that tell duplicates.

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Transaction};

use super::{Store, StoreError};

/// Partitions for the month that runs and so many after it are there before they are needed.
const MONTHS_AHEAD: u32 = 2;
const NAME: &str = "delivery_body_";

/// The bodies received within a month, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Month {
    first_day: NaiveDate,
}

impl Month {
    fn of(time: DateTime<Utc>) -> Option<Self> {
        Some(Self { first_day: time.date_naive().with_day(1)? })
    }

    fn after(self, months: u32) -> Option<Self> {
        Some(Self { first_day: self.first_day.checked_add_months(Months::new(months))? })
    }

    fn table(self) -> String {
        format!("{NAME}{}", self.first_day.format("%Y_%m"))
    }

    /// The month of a partition, by its name; `None` for any other table.
    fn of_table(table: &str) -> Option<Self> {
        let first_day = NaiveDate::parse_from_str(&format!("{}_01", table.strip_prefix(NAME)?), "%Y_%m_%d").ok()?;
        Some(Self { first_day })
    }

    fn begin(self) -> DateTime<Utc> {
        self.first_day.and_time(chrono::NaiveTime::MIN).and_utc()
    }
}

impl Store {
    /// Makes the partitions that will be needed soon. Bodies of a time that has none lie in the default
    /// partition, and none is made for a month that has bodies there already.
    ///
    /// # Errors
    /// Where the database is not available, or does not let us make tables; where readers of bodies do not let the
    /// table go for a moment. What was made until then stays, and the next call makes the rest.
    pub async fn make_room_for_bodies(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        for ahead in 0..=MONTHS_AHEAD {
            let month = Month::of(now).and_then(|month| Some((month.after(ahead)?, month.after(ahead + 1)?)));
            let Some((month, next)) = month else { continue };
            let mut transaction = self.alone().await?;
            if months(&mut transaction).await?.contains(&month) {
                continue;
            }
            let taken = sqlx::query_scalar!(
                r#"select exists (select from delivery_body_default where received_at >= $1 and received_at < $2) as "taken!""#,
                month.begin(),
                next.begin()
            );
            if taken.fetch_one(&mut *transaction).await? {
                continue;
            }
            // Bodies are read by their keys alone: the server need not look through samples of them.
            let make = format!(
                "create table {} partition of delivery_body for values from ('{}') to ('{}')
                 with (autovacuum_analyze_threshold = 2147483647)",
                month.table(),
                month.begin().to_rfc3339(),
                next.begin().to_rfc3339()
            );
            sqlx::query(AssertSqlSafe(make)).execute(&mut *transaction).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Lets the bodies of the months go that ended before `before`, and of the default partition those
    /// received before it. Gives the number of months, and of bodies of the default partition.
    ///
    /// # Errors
    /// Where the database is not available, or does not let us drop tables; where readers of bodies do not let the
    /// table go for a moment. Months that went until then are gone, and the next call goes on with the others.
    pub async fn let_bodies_go(&self, before: DateTime<Utc>) -> Result<(usize, u64), StoreError> {
        let ended = |month: &Month| month.after(1).is_some_and(|next| next.begin() <= before);
        let mut gone = 0;
        loop {
            let mut transaction = self.alone().await?;
            let Some(month) = months(&mut transaction).await?.into_iter().filter(ended).min() else { break };
            sqlx::query(AssertSqlSafe(format!("drop table {}", month.table()))).execute(&mut *transaction).await?;
            transaction.commit().await?;
            gone += 1;
        }
        let deleted = sqlx::query!("delete from delivery_body_default where received_at < $1", before)
            .execute(&self.pool)
            .await?;
        Ok((gone, deleted.rows_affected()))
    }

    /// A transaction that makes or drops one partition. Several nodes look after them: the second waits until the
    /// first has done so. For its moment nobody else can use the table of bodies, and whoever comes while it waits
    /// for that moment waits behind it: so it waits shorter than a sender would notice, and gives up.
    async fn alone(&self) -> Result<Transaction<'_, Postgres>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("lock table delivery_body in share update exclusive mode").execute(&mut *transaction).await?;
        sqlx::query("set local lock_timeout = '200ms'").execute(&mut *transaction).await?;
        Ok(transaction)
    }
}

async fn months(connection: &mut PgConnection) -> Result<Vec<Month>, StoreError> {
    let tables = sqlx::query_scalar!(
        r#"select c.relname::text as "name!" from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent = 'delivery_body'::regclass"#
    );
    Ok(tables.fetch_all(connection).await?.iter().filter_map(|table| Month::of_table(table)).collect())
}

#[cfg(test)]
mod tests {
    use super::Month;

    #[test]
    fn a_month_is_known_by_its_table() {
        let december = Month::of("2026-12-31T23:59:59Z".parse().unwrap()).unwrap();
        assert_eq!(december.table(), "delivery_body_2026_12");
        assert_eq!(december.after(1).unwrap().table(), "delivery_body_2027_01");
        assert_eq!(Month::of_table("delivery_body_2026_12"), Some(december));
        assert_eq!(Month::of_table("delivery_body_default"), None);
    }
}

//! What is asked.

use sqlx::postgres::PgConnection;

pub struct Question {
    pub name: String,
    pub sql: String,
}

const DOCUMENT: &str = include_str!("../../docs/analytics.md");

/// Every view whole, every view for one order where it tells orders apart, and the worked queries.
pub async fn all(connection: &mut PgConnection) -> Vec<Question> {
    let views: Vec<(String, bool)> = sqlx::query_as(
        "select c.relname::text, bool_or(a.attname = 'order_id') from pg_class c
         join pg_attribute a on a.attrelid = c.oid
         where c.relnamespace = 'analytics'::regnamespace and c.relkind = 'v' group by 1 order by 1",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let order: String = sqlx::query_scalar("select order_id from product_order order by events desc, order_id limit 1")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let mut questions = Vec::new();
    for (view, _) in &views {
        let name = format!("{view}, counted");
        questions.push(Question { name, sql: format!("select count(*) from analytics.{view}") });
    }
    for (view, _) in views.iter().filter(|(_, has_order)| *has_order) {
        let name = format!("{view}, one order");
        questions.push(Question { name, sql: format!("select * from analytics.{view} where order_id = '{order}'") });
    }
    for section in DOCUMENT.split("\n## ").skip(1) {
        let (heading, rest) = section.split_once('\n').unwrap();
        let Some((_, rest)) = rest.split_once("```sql\n") else { continue };
        let (sql, _) = rest.split_once("```").unwrap();
        let sql = sql.trim().trim_end_matches(';').replace("00228874", &order).replace("00102884", &order);
        questions.push(Question { name: format!("query: {heading}"), sql });
    }
    questions
}

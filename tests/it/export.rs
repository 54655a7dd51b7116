//! The analysts' views as files.

use std::fs::File;

use chrono::{DateTime, Utc};
use parquet::basic::{LogicalType, TimeUnit, Type as PhysicalType};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Map, Value, json};
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use crate::app::TestDatabase;
use crate::app::{out, run};

/// A view of every type and of values that are hard to write.
const HARD: &str = r#"create view analytics."hard, ""really"" hard" as select * from (values
    (1::smallint, 2, 3::bigint, 1.5::numeric, 2.25::real, true, date '2024-02-29', timestamptz '2024-03-31 01:59:59.999999+00',
     array['a','b "c"'], '{"a": [1, null]}'::jsonb, '00000000-0000-0000-0000-000000000001'::uuid, interval '1 day', E'a,b\n"c"'),
    (null, null, null, null, null, null, null, null, null, null, null, null, null),
    (-1::smallint, -2, -3::bigint, -1.5::numeric, -2.25::real, false, date '1969-12-31', timestamptz '1969-12-31 23:59:59.5+00',
     array[]::text[], '"text"'::jsonb, '00000000-0000-0000-0000-000000000002'::uuid, interval '1 second', ''))
    as v (small, "int", big, exact, "real", truth, "day", at, texts, document, id, "interval", "a text")"#;

async fn views(database: &TestDatabase) -> Vec<String> {
    database.execute(HARD).await;
    let listed = out(&run(database, &["export"]).await);
    for view in ["deliveries ", "orders ", "timeline ", "item_state_history "] {
        assert!(listed.contains(view), "{listed}");
    }
    let unnamed = run(database, &["export", "--output", "views.csv"]).await;
    assert!(!unnamed.status.success() && String::from_utf8_lossy(&unnamed.stderr).contains("name the view to write"));
    let names = database.rows("select relname from pg_class where relnamespace = 'analytics'::regnamespace").await;
    names.iter().map(|row| row["relname"].as_str().unwrap().to_owned()).collect()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[tokio::test]
async fn every_view_read_back_from_csv_is_the_view() {
    let database = TestDatabase::new().await;
    run(&database, &["ingest", "fixtures"]).await;
    let folder = TempDir::new().unwrap();
    for view in views(&database).await {
        let file = folder.path().join("view.csv");
        let told = run(&database, &["export", &view, "--output", file.to_str().unwrap()]).await;
        assert!(told.status.success(), "{told:?}");
        let piped = run(&database, &["export", &view]).await.stdout;
        let written = std::fs::read(&file).unwrap();
        // A view promises no order, and the server may choose another plan for the second question.
        assert_eq!(sorted_lines(&piped), sorted_lines(&written), "{view}");
        let mut transaction = database.pool.begin().await.unwrap();
        let view = quoted(&view);
        let create = format!("create temporary table back (like analytics.{view}) on commit drop");
        sqlx::query(AssertSqlSafe(create)).execute(&mut *transaction).await.unwrap();
        let mut copy = transaction.copy_in_raw("copy back from stdin with (format csv, header match)").await.unwrap();
        copy.send(written.as_slice()).await.unwrap();
        copy.finish().await.unwrap();
        let compare = format!(
            "select (select count(*) from (table back except all table analytics.{view}) a)
                  + (select count(*) from (table analytics.{view} except all table back) b), (select count(*) from back)"
        );
        let (other, rows): (i64, i64) =
            sqlx::query_as(AssertSqlSafe(compare)).fetch_one(&mut *transaction).await.unwrap();
        assert_eq!(other, 0, "{view}");
        assert!(rows > 0, "{view}");
        transaction.rollback().await.unwrap();
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside the file");
    database.close().await;
}

fn sorted_lines(csv: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = csv.split(|byte| *byte == b'\n').collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn every_view_read_back_from_parquet_is_the_view() {
    let database = TestDatabase::new().await;
    run(&database, &["ingest", "fixtures"]).await;
    let folder = TempDir::new().unwrap();
    for view in views(&database).await {
        let file = folder.path().join("view.parquet");
        let told = run(&database, &["export", &view, "--format", "parquet", "--output", file.to_str().unwrap()]).await;
        assert!(told.status.success(), "{told:?}");
        let mut back: Vec<Value> = read(&file).into_iter().map(Value::Object).collect();
        let rows = database.rows(&format!("select * from analytics.{}", quoted(&view))).await;
        let mut rows: Vec<Value> = rows.iter().map(comparable).collect();
        let text = |value: &Value| value.to_string();
        back.sort_by_key(text);
        rows.sort_by_key(text);
        assert!(!rows.is_empty(), "{view}");
        assert_eq!(back, rows, "{view}");
    }
    database.close().await;
}

/// A row as JSON: JSON text read, times as microseconds.
fn read(file: &std::path::Path) -> Vec<Map<String, Value>> {
    let reader = SerializedFileReader::new(File::open(file).unwrap()).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let is_json = |column: usize| schema.column(column).logical_type_ref() == Some(&LogicalType::Json);
    let value = |(at, field): (usize, &Field)| match field {
        Field::Null => Value::Null,
        Field::Str(text) if is_json(at) => comparable(&serde_json::from_str(text).unwrap()),
        Field::Str(text) => comparable(&json!(text)),
        Field::Bool(truth) => json!(truth),
        Field::Int(number) => json!(number),
        Field::Long(number) => json!(number),
        Field::Double(number) => comparable(&json!(number)),
        Field::TimestampMicros(micros) => json!(micros),
        Field::Date(days) => {
            let day = DateTime::UNIX_EPOCH.date_naive() + chrono::TimeDelta::days(i64::from(*days));
            json!(day.to_string())
        }
        other => panic!("{other:?}"),
    };
    let rows = reader.get_row_iter(None).unwrap().map(|row| {
        let row = row.unwrap();
        row.get_column_iter().enumerate().map(|(at, (name, field))| (name.clone(), value((at, field)))).collect()
    });
    rows.collect()
}

/// Times, in whatever text, as microseconds; fractions by their value, however many places are written.
fn comparable(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.as_i64().is_none() => json!(number.as_f64()),
        Value::String(text) => match text.parse::<DateTime<Utc>>() {
            Ok(at) => json!(at.timestamp_micros()),
            Err(_) => value.clone(),
        },
        Value::Array(values) => values.iter().map(comparable).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), comparable(value))).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn parquet_columns_have_the_views_types() {
    let database = TestDatabase::new().await;
    run(&database, &["ingest", "fixtures/bt-wholesale"]).await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("timeline.parquet");
    run(&database, &["export", "timeline", "--format", "parquet", "--output", file.to_str().unwrap()]).await;
    let reader = SerializedFileReader::new(File::open(&file).unwrap()).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let types: Vec<(String, PhysicalType, Option<LogicalType>)> = schema
        .columns()
        .iter()
        .map(|column| (column.name().to_owned(), column.physical_type(), column.logical_type_ref().cloned()))
        .collect();
    let micros = LogicalType::timestamp(true, TimeUnit::MICROS);
    for (name, physical, logical) in [
        ("order_id", PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        ("event_position", PhysicalType::INT64, None),
        ("ordinal", PhysicalType::INT32, None),
        ("at", PhysicalType::INT64, Some(micros)),
        ("late", PhysicalType::BOOLEAN, None),
        ("item_ids", PhysicalType::BYTE_ARRAY, Some(LogicalType::Json)),
        ("to_value", PhysicalType::BYTE_ARRAY, Some(LogicalType::Json)),
    ] {
        assert!(types.contains(&(name.to_owned(), physical, logical.clone())), "{name} {logical:?}: {types:?}");
    }
    database.close().await;
}

#[tokio::test]
async fn a_view_that_is_not_there_is_told_with_those_that_are() {
    let database = TestDatabase::new().await;
    let output = run(&database, &["export", "product_order"]).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(error.contains("no view “product_order”; there are ") && error.contains("order_items, orders"), "{error}");
    let output = run(&database, &["export", "orders", "--output", "/nowhere/orders.csv"]).await;
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot write /nowhere/orders.csv"));
    database.close().await;
}

#[tokio::test]
async fn a_pipe_and_a_link_stay_what_they_are() {
    let database = TestDatabase::new().await;
    run(&database, &["ingest", "fixtures/bt-wholesale"]).await;
    let folder = TempDir::new().unwrap();
    let (pipe, link, file) = (folder.path().join("pipe"), folder.path().join("link"), folder.path().join("file"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::fs::write(&file, "before").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();

    let end = pipe.clone();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(end).unwrap());
    run(&database, &["export", "orders", "--output", pipe.to_str().unwrap()]).await;
    let through = read.await.unwrap();
    assert_eq!(through.lines().count(), 13, "{through}");
    run(&database, &["export", "orders", "--output", link.to_str().unwrap()]).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), through);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(!std::fs::symlink_metadata(&pipe).unwrap().is_file());
    database.close().await;
}

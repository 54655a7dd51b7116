//! What the addresses of several routes carry: an order's id, and times.

use std::ops::Deref;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::app::App;
use super::error::{Problem, bad_query};
use super::link::from_path;
use crate::store::OrderKey;
use crate::wire::read_time;

/// An order's id as the path of an address has it: see [`from_path`].
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
pub struct OrderIdInPath(String);

impl From<String> for OrderIdInPath {
    fn from(part: String) -> Self {
        Self(from_path(part))
    }
}

impl Deref for OrderIdInPath {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// The key of an order by its id; its sender too where the id alone does not tell.
pub async fn resolve(app: &App, order_id: &str, sender: Option<&str>) -> Result<OrderKey, Problem> {
    // PostgreSQL keeps no NUL in a text, so there is no such order.
    if order_id.contains('\0') {
        return Err(Problem::no_such_order(order_id));
    }
    if let Some(sender) = sender.filter(|sender| !sender.is_empty()) {
        return Ok(OrderKey::of_order(sender, order_id));
    }
    let senders = app.store.senders_of(order_id).await?;
    match senders.as_slice() {
        [] => Err(Problem::no_such_order(order_id)),
        [only] => Ok(OrderKey::of_order(only, order_id)),
        _ => Err(Problem::several_senders(order_id, senders)),
    }
}

/// A time of the address; a plus that was not encoded has become a space on the way.
pub fn time(name: &str, text: Option<&String>) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(text) = text.map(|text| text.trim()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let read = read_time(text).or_else(|| read_time(&text.replace(' ', "+")));
    read.map(|read| Some(read.at))
        .ok_or_else(|| bad_query(&format_args!("{name} is no time; write it like 2023-02-13T10:00:00Z")))
}

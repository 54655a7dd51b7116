//! Errors in the document's shape.

use serde::Serialize;

use super::mandatory::Fault;

/// `{"errors": [{"code": 400, "message": …, "description": …}]}`.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Errors {
    #[serde(skip)]
    pub status: u16,
    pub errors: Vec<ErrorEntry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ErrorEntry {
    pub code: u16,
    pub message: String,
    pub description: String,
}

impl Errors {
    pub fn new(status: u16, message: &str, description: impl Into<String>) -> Self {
        let entry = ErrorEntry { code: status, message: message.to_owned(), description: description.into() };
        Self { status, errors: vec![entry] }
    }

    /// One error for each fault, in the order of the document's list.
    pub fn of_faults(faults: &[Fault]) -> Self {
        let entry = |fault: &Fault| ErrorEntry {
            code: 400,
            message: format!("{} {}", fault.name, if fault.is_missing { "is missing" } else { "is malformed" }),
            description: format!("NOT-VALID - {}: {}", fault.place, fault.detail),
        };
        Self { status: 400, errors: faults.iter().map(entry).collect() }
    }

    /// The body as it is sent, and kept.
    pub fn body(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

//! Markets, and the billing systems that they have.

use crate::wire::Json;

/// A business unit of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Market {
    /// Puerto Rico.
    Pr,
    /// Jamaica.
    Jm,
    /// Panama.
    Pa,
}

/// A billing system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Pr,
    JmLiberate,
    JmCerillion,
    Pa,
}

/// Jamaica has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JmSystem {
    Liberate,
    Cerillion,
}

impl Market {
    pub const ALL: [Self; 3] = [Self::Pr, Self::Jm, Self::Pa];

    /// The market of a `businessId`, in any case.
    pub fn from_business_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|market| market.business_id().eq_ignore_ascii_case(id))
    }

    pub fn business_id(self) -> &'static str {
        match self {
            Self::Pr => "PR",
            Self::Jm => "JM",
            Self::Pa => "PA",
        }
    }

    /// The sender that its deliveries are of.
    pub fn sender(self) -> &'static str {
        match self {
            Self::Pr => "hybris-pr",
            Self::Jm => "hybris-jm",
            Self::Pa => "hybris-pa",
        }
    }

    /// The system that an order goes to. Jamaica's are told apart by setting, else as the document's bodies
    /// differ: only Cerillion's has a `discountGroupCode`.
    pub fn system(self, order: &Json<'_>, jm: Option<JmSystem>) -> System {
        match (self, jm) {
            (Self::Pr, _) => System::Pr,
            (Self::Pa, _) => System::Pa,
            (Self::Jm, Some(JmSystem::Liberate)) => System::JmLiberate,
            (Self::Jm, Some(JmSystem::Cerillion)) => System::JmCerillion,
            (Self::Jm, None) if has_discount_group(order) => System::JmCerillion,
            (Self::Jm, None) => System::JmLiberate,
        }
    }
}

impl System {
    pub const ALL: [Self; 4] = [Self::Pr, Self::JmLiberate, Self::JmCerillion, Self::Pa];

    pub fn position(self) -> usize {
        Self::ALL.into_iter().position(|system| system == self).unwrap_or(0)
    }
}

fn has_discount_group(json: &Json<'_>) -> bool {
    match json {
        Json::Text(text) => text.eq_ignore_ascii_case("discountGroupCode"),
        Json::List(members) => members.iter().any(has_discount_group),
        Json::Object(members) => members.iter().any(|(_, value)| has_discount_group(value)),
        _ => false,
    }
}

//! Keeps every order event that a supplier pushes, and makes each order's timeline of them.
//!
//! # Layout
//! A body's way through the program is the list of its rooms:
//!
//! * [`config`], [`telemetry`] – settings and log
//! * [`http`], [`cli`] – the doors: listener, API and pages; commands
//! * [`access`] – who gets in: senders, staff, and on what showing
//! * [`hybris`] – the front door where orders are placed, and the billing systems behind it
//! * [`intake`] – the use case: keep, read, fold, project, receipt; a batch at a time
//! * [`spool`] – where deliveries wait on the disk while the database is away
//! * [`rebuild`] – all of it anew from what was kept, or beside it to compare
//! * [`export`] – the analysts' views as files
//! * [`wire`] – bytes to an event, tolerant, with an oddity for every deviation
//! * [`order`] – the pure fold: events to a timeline, under the one law
//! * [`record`] – what is kept and shown, flat, in the contract's names
//! * [`store`] – every SQL statement, and the private PostgreSQL
//! * [`vocabulary`] – what the suppliers' codes mean, as data
//! * [`cryptography`] – the one choice that all TLS needs
//! * [`metrics`] – what is counted and timed; [`trial`] – where tests kill it
//! * [`demo`] – sample bodies, and orders that go on
//! * [`generate`] – made-up feeds, the same for the same seed
//!
//! # Invariants
//! * `order` knows no names of the wire, no database, no HTTP and no clock.
//! * `wire` does no I/O and loses nothing silently.
//! * Only `store` holds SQL. Only `config` reads flags and environment. Only `http` knows status codes, but for those
//!   that are data at the front door: `hybris` passes on what a billing system answered, and answers in its form.
//! * The command line and HTTP call the same functions.
//! * An order's projection is a function of the set of its deliveries, (body, time received) and, for the
//!   few bodies that do not say whose they are, what is kept beside them ([`wire::Beside`]): processing
//!   order, duplicates, batches and the number of nodes do not show in it. Any timeline can be made anew
//!   from the deliveries alone.
//! * A delivery is durable before it is acknowledged, and visible in its order's timeline; only a receipt that
//!   says `spooled` is given before that.

pub mod access;
pub mod cli;
pub mod config;
pub mod cryptography;
pub mod demo;
pub mod export;
pub mod generate;
pub mod http;
pub mod hybris;
pub mod intake;
pub mod metrics;
pub mod order;
pub mod rebuild;
pub mod record;
pub mod spool;
pub mod store;
pub mod telemetry;
pub mod trial;
pub mod vocabulary;
pub mod wire;

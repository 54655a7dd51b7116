//! The pages in a real browser: headless Chromium on the real service with a real PostgreSQL.
//!
//! Without Chromium, ChromeDriver or axe-core the tests that need them are listed as ignored, and it is said what
//! is missing. Where `ORDER_TIMELINE_BROWSER_TESTS=required` is set, that is a failure.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests may be blunt; clippy.toml reaches the test functions only, and these are listed by a harness"
)]

mod accessible;
#[path = "../it/app.rs"]
#[expect(dead_code, reason = "the other test binary uses the rest of it")]
mod app;
mod browser;
mod driver;
mod find;
mod keyboard;
mod live;
mod order;
mod plain;
mod quarantine;
mod signed_in;

use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use app::TestApp;
use browser::{Browser, Kind};
use driver::Driver;

/// A test: with a browser of this kind, on a service of its own.
type Test = fn(Browser, Rc<TestApp>) -> std::pin::Pin<Box<dyn Future<Output = ()>>>;

macro_rules! tests {
    ($($kind:ident $room:ident::$name:ident),* $(,)?) => {
        [$((concat!(stringify!($room), "::", stringify!($name)), Kind::$kind,
            (|browser, app| Box::pin(async move {
                $room::$name(&browser, &app).await;
            })) as Test)),*]
    };
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tests = tests![
        Usual find::every_kind_of_id_finds_its_order,
        Usual find::ids_are_suggested_as_they_are_typed,
        Usual find::a_list_is_filtered_and_sorted_by_its_address,
        Usual order::a_timeline_is_read_and_filtered,
        Usual order::an_order_is_seen_as_it_was_and_as_it_was_known,
        Usual order::a_slider_leads_to_what_was_known,
        Usual order::an_entry_leads_to_its_delivery_and_to_what_differs,
        Usual order::hostile_text_is_shown_as_text,
        Usual order::times_are_told_in_the_zone_that_is_chosen,
        Usual order::nothing_is_asked_of_others,
        Usual live::a_new_event_appears_and_nothing_moves,
        Usual live::a_page_that_lost_the_service_says_so_and_catches_up,
        Usual keyboard::everything_is_reached_by_keys,
        Usual quarantine::a_quarantined_body_is_read_again,
        Usual signed_in::a_reader_sees_who_they_are_and_nothing_they_may_not_do,
        Usual signed_in::an_operator_reads_a_body_again,
        Usual signed_in::a_live_page_says_when_its_session_is_over,
        Plain plain::all_of_it_works_without_scripts,
        Usual accessible::no_page_has_a_serious_finding,
        Dark accessible::no_page_has_a_serious_finding_in_the_dark,
        Usual accessible::no_page_is_wider_than_a_phone,
    ];
    let driver = Driver::start();
    let missing = driver.as_ref().err().cloned().or_else(|| accessible::missing().err());
    let is_required = std::env::var("ORDER_TIMELINE_BROWSER_TESTS").is_ok_and(|value| value == "required");
    if let Some(missing) = &missing {
        eprintln!("These tests cannot run here: {missing}.");
    }
    let address = Arc::new(driver.as_ref().map(Driver::address).unwrap_or_default());
    let trials = tests.into_iter().map(|(name, kind, test)| {
        let address = Arc::clone(&address);
        let missing = missing.clone();
        let is_ignored = missing.is_some() && !is_required;
        Trial::test(name, move || match missing {
            Some(missing) => Err(Failed::from(missing)),
            None => {
                run(&address, kind, test);
                Ok(())
            }
        })
        .with_ignored_flag(is_ignored)
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    drop(driver);
    conclusion.exit_code()
}

/// Runs one test. The browser is closed and the service stopped however the test ends: the services share one
/// server, which would run out of connections.
fn run(address: &str, kind: Kind, test: Test) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    let ended = local.block_on(&runtime, async {
        let app = Rc::new(TestApp::start().await);
        let browser = Browser::open(address, kind, app.address).await;
        let close = browser.clone();
        let ended = tokio::task::spawn_local(test(browser, Rc::clone(&app))).await;
        close.close().await;
        Rc::into_inner(app).unwrap().stop().await;
        ended
    });
    if let Err(failed) = ended {
        std::panic::resume_unwind(failed.into_panic());
    }
}

//! What the service does beside answering requests, as long as it runs.

use std::time::Duration;

use actix_web::web;
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

use super::app::App;
use super::entrance::{Entrance, keep_up_to_date};
use super::health::Watched;
use super::live::Live;
use crate::hybris::settle_left_behind;
use crate::metrics;

const SETTLE_EVERY: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Its tasks. They end with it.
#[derive(Debug)]
pub struct Background(JoinSet<()>);

impl Background {
    /// Those that every service has.
    pub fn of(app: &web::Data<App>, entrance: &web::Data<Entrance>, watched: &web::Data<Watched>, live: &Live) -> Self {
        let mut background = Self(JoinSet::new());
        background.spawn(live.clone().ask(app.store.clone()));
        background.spawn(settle_exchanges(app.clone()));
        background.spawn(follow_vocabulary(app.clone()));
        background.spawn(count(app.clone()));
        background.spawn(watch_database(app.clone(), watched.clone()));
        background.spawn(keep_up_to_date(entrance.clone()));
        background
    }

    pub fn spawn(&mut self, task: impl Future<Output = ()> + 'static) {
        self.0.spawn_local(task);
    }

    /// Ends all of them. One that is at a statement hands its connection back, for which it needs the runtime: it may
    /// not be dropped together with that.
    pub async fn end(mut self) {
        self.0.shutdown().await;
    }
}

/// What a former run, or another node that is no more, left open at the front door.
async fn settle_exchanges(app: web::Data<App>) {
    loop {
        if let Err(cause) = settle_left_behind(&app.hybris, &app.store, &app.vocabulary.now()).await {
            warn!(%cause, "exchanges that were left behind cannot be settled now; it is tried again");
        }
        tokio::time::sleep(SETTLE_EVERY).await;
    }
}

/// Takes up what an operator changes in the vocabulary. The events of a batch are told with it from then on; it is one
/// small question now and then, and none an event.
async fn follow_vocabulary(app: web::Data<App>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        match app.store.vocabulary().await {
            Ok(vocabulary) => {
                if app.vocabulary.take(vocabulary) {
                    info!(
                        "the vocabulary has changed: events are told with it from now on; `order-timeline rebuild` \
                         applies it to those taken in before"
                    );
                }
            }
            Err(cause) => debug!(%cause, "whether the vocabulary has changed cannot be seen now; it is tried again"),
        }
    }
}

/// Asks for the metrics whether the database is there. It is asked whether there is a spool or not, and whether
/// deliveries come or not.
async fn watch_database(app: web::Data<App>, watched: web::Data<Watched>) {
    const EVERY: Duration = Duration::from_secs(5);
    loop {
        let answered = tokio::time::timeout(EVERY, watched.0.check_writable()).await;
        let is_there = matches!(answered, Ok(Ok(())));
        metrics::get().database(is_there);
        if !is_there {
            // The next page is to find one that works, and not the first of those that broke.
            app.store.doubt_connections();
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Counts for the metrics what only the database knows.
async fn count(app: web::Data<App>) {
    const EVERY: Duration = Duration::from_mins(1);
    loop {
        match app.store.census().await {
            Ok(census) => metrics::get().counted(&census),
            Err(cause) => warn!(%cause, "what the metrics need of the database cannot be counted now"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

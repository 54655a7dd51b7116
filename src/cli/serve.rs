//! `serve`: the service.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{Days, Utc};
use tracing::{info, warn};

use super::access::{access, limits, safe_to_open, tls};
use super::database::{Database, Purpose};
use super::signals::serve_until_signalled;
use crate::config::{DEFAULT_SENDER, DatabaseConfig, HttpConfig, ServeConfig};
use crate::http::{self, App};
use crate::hybris::{Client, Hybris, Market, System};
use crate::spool::Spool;
use crate::store::{Store, StoreError};
use crate::vocabulary::Current;

pub async fn run(database: &DatabaseConfig, config: &ServeConfig) -> Result<()> {
    let socket = bind(config.http.listen)?;
    let data_dir = database.database_url.is_none().then(|| database.data_dir());
    let database = open(database, &config.http).await?;
    let address = socket.local_addr()?;
    let openness = match safe_to_open(&config.http, address, &database.store).await {
        Ok(openness) => openness,
        Err(refused) => {
            database.close().await?;
            return Err(refused);
        }
    };
    let vocabulary = database.store.vocabulary().await?.into();
    let mut app = app(&config.http, database.store.clone(), vocabulary)?;
    app.data_dir = data_dir;
    let server = http::serve(app, socket).await?;
    let scheme = if config.http.tls.tls_cert.is_some() { "https" } else { "http" };
    writeln!(
        anstream::stdout(),
        "Order Timeline is at {scheme}://{address}/ and takes events at {scheme}://{address}/listener"
    )?;
    writeln!(anstream::stdout(), "{openness} Ctrl-C stops it.")?;
    match database.store.doubts().await {
        Ok(doubts) => doubts.iter().for_each(|doubt| warn!("the database is not safe: {doubt}")),
        // It was there a moment ago. The service is serving by now and may not end for that.
        Err(StoreError::Unavailable(cause)) => warn!(%cause, "whether the database is safe could not be asked"),
        Err(cause) => return Err(cause.into()),
    }
    let learning = actix_web::rt::spawn(learn_silence(database.store.clone()));
    let housekeeping = actix_web::rt::spawn(look_after_bodies(database.store.clone(), config.keep_bodies));
    serve_until_signalled(server).await?;
    learning.abort();
    housekeeping.abort();
    info!("the service has stopped; everything acknowledged is in the database, or in the spool");
    database.close().await
}

/// Opens the database. With a spool, one that is away at the start is waited for: senders that connect meanwhile are
/// kept waiting, too, rather than refused, until the service that is to spare them an outage is there.
async fn open(config: &DatabaseConfig, http: &HttpConfig) -> Result<Database> {
    const PAUSE: Duration = Duration::from_secs(1);
    loop {
        match Database::open(config, Purpose::Serve).await {
            Err(cause) if http.spool.spool.is_some() && is_away(&cause) => {
                warn!("the database is away; the service starts when it is there: {cause:#}");
                tokio::time::sleep(PAUSE).await;
            }
            opened => return opened,
        }
    }
}

fn is_away(cause: &anyhow::Error) -> bool {
    matches!(cause.downcast_ref(), Some(StoreError::Unavailable(_)))
}

/// Learns now and then how long orders are usually silent. Several nodes may do so; they learn the same.
async fn learn_silence(store: Store) {
    const EVERY: Duration = Duration::from_hours(1);
    loop {
        if let Err(error) = store.learn_silence().await {
            warn!(%error, "how long orders are usually silent could not be learned");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Makes partitions for the bodies to come, and lets go of those that need no longer be kept. Several nodes may
/// do so.
async fn look_after_bodies(store: Store, keep: Option<Days>) {
    const EVERY: Duration = Duration::from_hours(1);
    loop {
        let now = Utc::now();
        if let Err(error) = store.make_room_for_bodies(now).await {
            warn!(%error, "partitions for the bodies to come could not be made; they will lie in the default partition");
        }
        if let Some(before) = keep.and_then(|keep| now.checked_sub_days(keep)) {
            match store.let_bodies_go(before).await {
                Ok((0, 0)) => {}
                Ok((months, bodies)) => info!(months, bodies, %before, "bodies were let go as --keep-bodies says"),
                Err(error) => warn!(%error, "old bodies could not be let go"),
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// What the service's handlers work with.
///
/// # Errors
/// Where no HTTP client to a billing system can be made.
pub fn app(config: &HttpConfig, store: Store, vocabulary: Current) -> Result<App> {
    Ok(App {
        store,
        vocabulary,
        sender: DEFAULT_SENDER.to_owned(),
        other_senders: Market::ALL.map(|market| market.sender().to_owned()).to_vec(),
        hybris: Arc::new(hybris(config)?),
        ack_status: config.ack_status,
        spool: config.spool.settings().map(|settings| Spool::open(&settings)).transpose()?,
        max_body_bytes: config.max_body_bytes,
        data_dir: None,
        access: access(config)?,
        limits: limits(&config.limits),
        tls: tls(&config.tls),
    })
}

/// The front door: a client for each billing system that has an address, the simulator for the others.
fn hybris(config: &HttpConfig) -> Result<Hybris> {
    let settings = &config.hybris;
    let mut hybris = Hybris {
        base_path: settings.hybris_base_path.clone(),
        jm: settings.hybris_jm.system(),
        time_out: Duration::from_secs(settings.hybris_time_out),
        ..Hybris::default()
    };
    for system in System::ALL {
        if let Some(address) = settings.address(system) {
            let client = Client::new(address.clone(), hybris.time_out, config.max_body_bytes)?;
            hybris.put(system, Arc::new(client));
        }
    }
    Ok(hybris)
}

/// Binds the address.
///
/// # Errors
/// Where it is taken.
pub fn bind(listen: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(listen).with_context(|| {
        format!("cannot listen at {listen}; if another program does, choose another address with --listen")
    })
}

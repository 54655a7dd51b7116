//! `serve`: the service.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{Days, Utc};
use tracing::{error, info, warn};

use super::access::{access, check, doubt, limits, safe_to_open, tls};
use super::database::{Database, Purpose};
use super::signals::serve_until_signalled;
use crate::access::{Copy, State};
use crate::config::{DEFAULT_SENDER, DatabaseConfig, HttpConfig, ServeConfig};
use crate::http::{self, App};
use crate::hybris::{Client, Hybris, Market, System};
use crate::spool::Spool;
use crate::store::{Store, StoreError};
use crate::vocabulary::{Current, shipped};

pub async fn run(database: &DatabaseConfig, config: &ServeConfig) -> Result<()> {
    check(&config.http)?;
    let socket = bind(config.http.listen)?;
    let data_dir = database.database_url.is_none().then(|| database.data_dir());
    let (database, is_away) = open(database, &config.http).await?;
    let address = socket.local_addr()?;
    let copy = config.http.spool.spool.as_deref().map(|directory| Arc::new(Copy::in_directory(directory)));
    let known = known(&database.store, is_away, copy.as_deref()).await?.map(Arc::new);
    let openness = match known.as_ref().map(|known| safe_to_open(&config.http, address, known)) {
        Some(Ok(openness)) => openness,
        None => "Nobody gets in until the database is there: who has access is not known.".to_owned(),
        Some(Err(refused)) => {
            database.close().await?;
            return Err(refused);
        }
    };
    // While it is away, the one that is shipped: nothing is told with it before the database's own is there.
    let vocabulary = if is_away { shipped()? } else { database.store.vocabulary().await? }.into();
    let mut app = app(&config.http, database.store.clone(), vocabulary)?;
    app.data_dir = data_dir;
    (app.access.known, app.access.copy) = (known, copy);
    if let Some(spool) = app.spool.as_ref().filter(|_| is_away) {
        spool.database_is_away();
    }
    if let Some(doubt) = doubt(&config.http) {
        warn!("{doubt}");
    }
    let server = http::serve(app, socket).await?;
    let scheme = if config.http.tls.tls_cert.is_some() { "https" } else { "http" };
    writeln!(
        anstream::stdout(),
        "Order Timeline is at {scheme}://{address}/ and takes events at {scheme}://{address}/listener"
    )?;
    writeln!(anstream::stdout(), "{openness} Ctrl-C stops it.")?;
    if is_away || !has_told_doubts(&database.store).await? {
        actix_web::rt::spawn(doubt_later(database.store.clone()));
    }
    let learning = actix_web::rt::spawn(learn_silence(database.store.clone()));
    let housekeeping = actix_web::rt::spawn(look_after_bodies(database.store.clone(), config.keep_bodies));
    serve_until_signalled(server).await?;
    learning.abort();
    housekeeping.abort();
    info!("the service has stopped; everything acknowledged is in the database, or in the spool");
    database.close().await
}

/// Opens the database, and says whether it is away. With a spool the service starts all the same: it is to spare
/// senders an outage.
async fn open(config: &DatabaseConfig, http: &HttpConfig) -> Result<(Database, bool)> {
    match (Database::open(config, Purpose::Serve).await, Database::unseen(config)) {
        (Err(cause), Some(unseen)) if http.spool.spool.is_some() && is_away(&cause) => {
            warn!("the database is away; deliveries go into the spool until it is there: {cause:#}");
            Ok((unseen, true))
        }
        (opened, _) => Ok((opened?, false)),
    }
}

/// Who has access: as the database says, else as the copy beside the spool does, else unknown.
async fn known(store: &Store, is_away: bool, copy: Option<&Copy>) -> Result<Option<State>> {
    if !is_away {
        return Ok(Some(State::read(store.access_rows().await?)));
    }
    let rows = copy.and_then(Copy::read);
    match &rows {
        Some(_) => warn!("who has access is taken from the copy beside the spool until the database is there"),
        None => {
            warn!("there is no copy of who has access beside the spool; until the database is there, all are refused")
        }
    }
    Ok(rows.map(State::read))
}

/// Says what of the database's settings could lose what was acknowledged; whether it could be asked.
///
/// # Errors
/// Where the service cannot work with it.
async fn has_told_doubts(store: &Store) -> Result<bool> {
    match store.doubts().await {
        Ok(doubts) => doubts.iter().for_each(|doubt| warn!("the database is not safe: {doubt}")),
        // It was there a moment ago. The service is serving by now and may not end for that.
        Err(StoreError::Unavailable(_)) => return Ok(false),
        Err(cause) => return Err(cause.into()),
    }
    Ok(true)
}

async fn doubt_later(store: Store) {
    const EVERY: Duration = Duration::from_secs(10);
    loop {
        match has_told_doubts(&store).await {
            Ok(false) => tokio::time::sleep(EVERY).await,
            Ok(true) => return,
            Err(cause) => return error!("the database cannot be used: {cause:#}"),
        }
    }
}

fn is_away(cause: &anyhow::Error) -> bool {
    matches!(cause.downcast_ref(), Some(StoreError::Unavailable(_)))
}

/// What failed, the database being away, say, is tried again after so long.
const SOON: Duration = Duration::from_mins(1);

/// Learns now and then how long orders are usually silent. Several nodes may do so; they learn the same.
async fn learn_silence(store: Store) {
    const EVERY: Duration = Duration::from_hours(1);
    loop {
        let learned = store.learn_silence().await;
        if let Err(error) = &learned {
            warn!(%error, "how long orders are usually silent could not be learned");
        }
        tokio::time::sleep(if learned.is_ok() { EVERY } else { SOON }).await;
    }
}

/// Makes partitions for the bodies to come, and lets go of those that need no longer be kept. Several nodes may
/// do so.
async fn look_after_bodies(store: Store, keep: Option<Days>) {
    const EVERY: Duration = Duration::from_hours(1);
    loop {
        let now = Utc::now();
        let made = store.make_room_for_bodies(now).await;
        if let Err(error) = &made {
            warn!(%error, "partitions for the bodies to come could not be made; they will lie in the default partition");
        }
        let mut has_failed = made.is_err();
        if let Some(before) = keep.and_then(|keep| now.checked_sub_days(keep)) {
            match store.let_bodies_go(before).await {
                Ok((0, 0)) => {}
                Ok((months, bodies)) => info!(months, bodies, %before, "bodies were let go as --keep-bodies says"),
                Err(error) => {
                    has_failed = true;
                    warn!(%error, "old bodies could not be let go");
                }
            }
        }
        tokio::time::sleep(if has_failed { SOON } else { EVERY }).await;
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
        limits: limits(&config.limits, &config.tls),
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

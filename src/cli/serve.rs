//! `serve`: the service.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tracing::{info, warn};

use super::access::{access, limits, safe_to_open, tls};
use super::database::{Database, Purpose};
use super::signals::serve_until_signalled;
use crate::config::{DEFAULT_SENDER, DatabaseConfig, HttpConfig, ServeConfig};
use crate::http::{self, App};
use crate::hybris::{Client, Hybris, Market, System};
use crate::order::Vocabulary;
use crate::store::Store;

pub async fn run(database: &DatabaseConfig, config: &ServeConfig) -> Result<()> {
    let socket = bind(config.http.listen)?;
    let database = Database::open(database, Purpose::Serve).await?;
    let address = socket.local_addr()?;
    let openness = match safe_to_open(&config.http, address, &database.store).await {
        Ok(openness) => openness,
        Err(refused) => {
            database.close().await?;
            return Err(refused);
        }
    };
    let vocabulary = Arc::new(database.store.vocabulary().await?);
    let server = http::serve(app(&config.http, database.store.clone(), vocabulary)?, socket)?;
    let scheme = if config.http.tls.tls_cert.is_some() { "https" } else { "http" };
    writeln!(
        anstream::stdout(),
        "Order Timeline is at {scheme}://{address}/ and takes events at {scheme}://{address}/listener"
    )?;
    writeln!(anstream::stdout(), "{openness} Ctrl-C stops it.")?;
    for doubt in database.store.doubts().await? {
        warn!("the database is not safe: {doubt}");
    }
    let learning = actix_web::rt::spawn(learn_silence(database.store.clone()));
    serve_until_signalled(server).await?;
    learning.abort();
    info!("the service has stopped; everything acknowledged is in the database");
    database.close().await
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

/// What the service's handlers work with.
///
/// # Errors
/// Where no HTTP client to a billing system can be made.
pub fn app(config: &HttpConfig, store: Store, vocabulary: Arc<Vocabulary>) -> Result<App> {
    Ok(App {
        store,
        vocabulary,
        sender: DEFAULT_SENDER.to_owned(),
        other_senders: Market::ALL.map(|market| market.sender().to_owned()).to_vec(),
        hybris: Arc::new(hybris(config)?),
        ack_status: config.ack_status,
        max_body_bytes: config.max_body_bytes,
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

//! `demo`: the service with something to see.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use chrono::Utc;
use tracing::warn;

use super::access::{check, is_behind_proxy};
use super::database::Database;
use super::serve::{app, bind};
use super::signals::serve_until_signalled;
use crate::config::{DatabaseConfig, DemoConfig, default_listen};
use crate::demo::{BODIES, Journeys};
use crate::http;
use crate::store::private_postgres;

pub async fn run(database: &DatabaseConfig, config: &DemoConfig) -> Result<()> {
    check(&config.http)?;
    ensure!(
        database.database_url.is_none(),
        "the demo starts with an empty database of its own and takes no --database-url (or DATABASE_URL)"
    );
    // It delivers to itself as anybody could.
    ensure!(
        config.http.tls.tls_cert.is_none() && config.http.sign_in.oidc_issuer.is_none(),
        "the demo is open and unencrypted; leave --tls-cert and --oidc-issuer to `serve`"
    );
    ensure!(
        config.http.listen.ip().is_loopback() || config.http.access.unprotected,
        "the demo is open to whoever reaches it; to listen at {} all the same, say --unprotected",
        config.http.listen
    );
    ensure!(
        !is_behind_proxy(&config.http) || config.http.access.unprotected,
        "the demo is open to whoever reaches it; to have it behind a proxy (--trusted-proxy, --public-url) all the same, \
         say --unprotected"
    );
    let socket = bind_anywhere(config.http.listen)?;
    let address = socket.local_addr()?;
    let directory = database.demo_dir();
    private_postgres::wipe(&directory).await?;
    let database = Database::start(database, &directory).await?;
    let vocabulary = database.store.vocabulary().await?.into();
    let server = http::serve(app(&config.http, database.store.clone(), vocabulary)?, socket).await?;
    let handle = server.handle();
    let serving = actix_web::rt::spawn(serve_until_signalled(server));
    match deliver_samples(address).await {
        Ok(()) => {
            announce(address)?;
            if config.every > 0 {
                actix_web::rt::spawn(deliver_made_up(address, Duration::from_secs(config.every)));
            }
        }
        Err(error) => {
            handle.stop(true).await;
            database.close().await?;
            return Err(error);
        }
    }
    serving.await??;
    database.close().await
}

/// The address asked for; where the usual one is taken, any other will do for a demo.
fn bind_anywhere(listen: SocketAddr) -> Result<TcpListener> {
    match bind(listen) {
        Err(_) if listen == default_listen() => bind(SocketAddr::new(listen.ip(), 0)),
        result => result,
    }
}

fn announce(address: SocketAddr) -> Result<()> {
    let mut out = anstream::stdout();
    writeln!(
        out,
        "\nOrder Timeline runs with {} sample events of 12 orders. See what happened to one of them:\n",
        BODIES.len()
    )?;
    writeln!(out, "  http://{address}/orders/00228874")?;
    writeln!(out, "  order-timeline timeline 00228874        (from here: cargo run -- timeline 00228874)\n")?;
    writeln!(out, "All orders are at http://{address}/ and made-up ones go on arriving. Ctrl-C stops it.\n")?;
    Ok(())
}

async fn deliver_samples(address: SocketAddr) -> Result<()> {
    let client = awc::Client::default();
    for (name, body) in BODIES {
        deliver(&client, address, body.to_vec()).await.with_context(|| format!("the sample {name} was not taken"))?;
    }
    Ok(())
}

/// Delivers a made-up event now and then, until the program ends.
async fn deliver_made_up(address: SocketAddr, every: Duration) {
    let client = awc::Client::default();
    let mut journeys = Journeys::default();
    loop {
        tokio::time::sleep(every).await;
        if let Err(error) = deliver(&client, address, journeys.next_body(Utc::now())).await {
            warn!("a made-up event was not taken: {error:#}");
        }
    }
}

async fn deliver(client: &awc::Client, address: SocketAddr, body: Vec<u8>) -> Result<()> {
    let request = client.post(format!("http://{address}/listener")).insert_header(("Content-Type", "application/json"));
    // The client's errors cannot cross threads, which anyhow asks for.
    let answer = request.send_body(body).await.map_err(|error| anyhow!("{error}"))?;
    ensure!(answer.status().is_success(), "the listener answered {}", answer.status());
    Ok(())
}

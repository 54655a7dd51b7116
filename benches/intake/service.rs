//! The service under load, and what it asks of PostgreSQL.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use order_timeline::http::{self, App};
use order_timeline::hybris::Market;
use order_timeline::store::Store;
use order_timeline::vocabulary;
use sqlx::postgres::{PgConnectOptions, PgPool};

pub struct Service {
    pub address: SocketAddr,
    handle: ServerHandle,
    store: Store,
    pool: PgPool,
}

/// What PostgreSQL did so far.
pub struct Work {
    pub statements: i64,
    pub wal_bytes: i64,
}

impl Service {
    pub async fn start(options: &PgConnectOptions) -> Self {
        let store = Store::connect(options.clone(), 16);
        store.migrate().await.unwrap();
        let app = App {
            store: store.clone(),
            vocabulary: Arc::new(vocabulary::shipped().unwrap()),
            sender: "bt-wholesale".to_owned(),
            other_senders: Market::ALL.map(|market| market.sender().to_owned()).to_vec(),
            hybris: Arc::default(),
            ack_status: 200,
            max_body_bytes: 16 * 1024 * 1024,
            access: http::AccessSettings::default(),
            limits: http::Limits::default(),
            tls: None,
        };
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let server = http::serve(app, socket).unwrap();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self { address, handle: receiver.recv().unwrap(), store, pool: PgPool::connect_lazy_with(options.clone()) }
    }

    /// Without the extension that counts them, statements are told as none.
    pub async fn work(&self) -> Work {
        let wal_bytes = sqlx::query_scalar("select wal_bytes::bigint from pg_stat_wal").fetch_one(&self.pool).await;
        let statements =
            sqlx::query_scalar("select sum(calls)::bigint from pg_stat_statements").fetch_one(&self.pool).await;
        Work { statements: statements.unwrap_or(0), wal_bytes: wal_bytes.unwrap() }
    }

    pub async fn stop(self) {
        self.handle.stop(true).await;
        self.pool.close().await;
        self.store.close().await;
    }
}

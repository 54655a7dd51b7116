//! A way to the database that can be disturbed: TCP in, the server's socket out.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use order_timeline::store::Store;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::{mpsc, watch};

use crate::app::TestDatabase;

/// What is wrong with the way.
#[derive(Default)]
struct Trouble {
    /// New connections are closed at once.
    refuses: AtomicBool,
    /// Nothing passes any more; connections stay open.
    is_silent: AtomicBool,
    /// Each piece takes so many milliseconds longer.
    delay: AtomicI64,
    /// After so many more bytes, of both directions, connections are cut; negative for never.
    cut_after: AtomicI64,
}

pub struct Proxy {
    pub address: SocketAddr,
    trouble: Arc<Trouble>,
    cut: watch::Sender<u64>,
    _end: mpsc::Sender<()>,
}

impl Proxy {
    /// A way to the test's database.
    pub fn to(database: &TestDatabase) -> Self {
        let socket = database.options.get_socket().unwrap().join(format!(".s.PGSQL.{}", database.options.get_port()));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let trouble = Arc::new(Trouble { cut_after: AtomicI64::new(-1), ..Trouble::default() });
        let (cut, cuts) = watch::channel(0);
        let (end, mut ended) = mpsc::channel::<()>(1);
        let shared = Arc::clone(&trouble);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    () = accept(listener, socket, shared, cuts) => {}
                    _ = ended.recv() => {}
                }
            });
        });
        Self { address, trouble, cut, _end: end }
    }

    /// The database by this way.
    pub fn options(&self, database: &TestDatabase) -> PgConnectOptions {
        let direct = &database.options;
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.address.port())
            .username(direct.get_username())
            .database(direct.get_database().unwrap())
            .ssl_mode(PgSslMode::Disable)
    }

    pub fn store(&self, database: &TestDatabase) -> Store {
        Store::connect(self.options(database), 8)
    }

    /// The server is gone: its connections with it.
    pub fn go_down(&self) {
        self.trouble.refuses.store(true, Ordering::SeqCst);
        self.cut_all();
    }

    pub fn cut_all(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }

    /// The server, or the network, answers nothing more.
    pub fn fall_silent(&self) {
        self.trouble.is_silent.store(true, Ordering::SeqCst);
    }

    pub fn slow_down(&self, milliseconds: i64) {
        self.trouble.delay.store(milliseconds, Ordering::SeqCst);
    }

    pub fn cut_after(&self, bytes: i64) {
        self.trouble.cut_after.store(bytes, Ordering::SeqCst);
    }

    pub fn heal(&self) {
        self.trouble.delay.store(0, Ordering::SeqCst);
        self.trouble.cut_after.store(-1, Ordering::SeqCst);
        self.trouble.is_silent.store(false, Ordering::SeqCst);
        self.trouble.refuses.store(false, Ordering::SeqCst);
    }
}

async fn accept(listener: TcpListener, socket: PathBuf, trouble: Arc<Trouble>, cuts: watch::Receiver<u64>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        if trouble.refuses.load(Ordering::SeqCst) {
            continue;
        }
        let Ok(server) = UnixStream::connect(&socket).await else { continue };
        let (trouble, mut cuts) = (Arc::clone(&trouble), cuts.clone());
        cuts.mark_unchanged();
        tokio::spawn(async move {
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::select! {
                () = pump(&mut from_client, &mut to_server, &trouble) => {}
                () = pump(&mut from_server, &mut to_client, &trouble) => {}
                _ = cuts.changed() => {}
            }
        });
    }
}

/// Passes on what comes, until the end or the cut.
async fn pump(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin), trouble: &Trouble) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        while trouble.is_silent.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let delay = trouble.delay.load(Ordering::SeqCst);
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(u64::try_from(delay).unwrap())).await;
        }
        let mut passing = read;
        if trouble.cut_after.load(Ordering::SeqCst) >= 0 {
            let left = trouble.cut_after.fetch_sub(i64::try_from(read).unwrap(), Ordering::SeqCst);
            passing = read.min(usize::try_from(left).unwrap_or(0));
            if passing < read {
                trouble.cut_after.store(0, Ordering::SeqCst);
                trouble.refuses.store(true, Ordering::SeqCst);
            }
        }
        if to.write_all(&buffer[..passing]).await.is_err() || passing < read {
            return;
        }
    }
}

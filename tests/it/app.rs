//! What the tests run: the real service on a real PostgreSQL, a fresh database for each.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use order_timeline::http::{self, App, ServiceHandle};
use order_timeline::hybris::Market;
use order_timeline::store::Store;
use order_timeline::store::private_postgres::{Durability, PrivatePostgres, Settings};
use order_timeline::vocabulary;
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgPool};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// One server for all tests of the process; it ends with the process.
static SERVER: OnceCell<(TempDir, PrivatePostgres)> = OnceCell::const_new();

async fn server() -> PgConnectOptions {
    let start = async || {
        let directory = tempfile::Builder::new().prefix("order-timeline-it-").tempdir().unwrap();
        // The server may run as another user, who has to pass.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(directory.path(), open).unwrap();
        let settings = Settings { data_dir: directory.path().to_owned(), durability: Durability::ThrowAway };
        // Started on a runtime of its own: a test's ends with the test.
        let postgres = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(PrivatePostgres::start(&settings)).unwrap()
        });
        (directory, postgres.join().unwrap())
    };
    SERVER.get_or_init(start).await.1.connect_options()
}

/// A database of its own for one test, dropped with it.
pub struct TestDatabase {
    pub options: PgConnectOptions,
    pub store: Store,
    pub pool: PgPool,
    name: String,
}

impl TestDatabase {
    pub async fn new() -> Self {
        let server = server().await;
        let name = format!("test_{}", Uuid::now_v7().simple());
        let mut admin = server.connect().await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("create database {name}"))).execute(&mut admin).await.unwrap();
        let options = server.database(&name);
        let store = Store::connect(options.clone(), 8);
        store.migrate().await.unwrap();
        let pool = PgPool::connect_lazy_with(options.clone());
        Self { options, store, pool, name }
    }

    /// Its address, as an operator would give it.
    pub fn url(&self) -> String {
        format!(
            "postgres:///{}?host={}&port={}&user={}",
            self.options.get_database().unwrap(),
            self.options.get_socket().unwrap().display(),
            self.options.get_port(),
            self.options.get_username()
        )
    }

    /// For a role of this test's own.
    pub fn name_of_role(&self) -> String {
        format!("role_of_{}", self.name)
    }

    /// All rows of a query, each as JSON, in the order of their text.
    pub async fn rows(&self, sql: &str) -> Vec<Value> {
        let sql = format!("select to_jsonb(r) from ({sql}) r order by to_jsonb(r)::text");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&self.pool).await.unwrap()
    }

    pub async fn execute(&self, sql: &str) {
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&self.pool).await.unwrap();
    }

    pub async fn close(self) {
        self.pool.close().await;
        self.store.close().await;
        let mut admin = server().await.connect().await.unwrap();
        let drop = format!("drop database {} with (force)", self.name);
        sqlx::query(sqlx::AssertSqlSafe(drop)).execute(&mut admin).await.unwrap();
    }
}

/// The service at a port of its own.
pub struct TestApp {
    pub address: SocketAddr,
    pub database: TestDatabase,
    handle: ServiceHandle,
}

/// An answer: status, content type, body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl TestApp {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The service with settings of the test's own.
    pub async fn with(set: impl FnOnce(&mut App)) -> Self {
        Self::on(TestDatabase::new().await, set)
    }

    /// The same on a database that is there.
    pub fn on(database: TestDatabase, set: impl FnOnce(&mut App)) -> Self {
        let (address, handle) = serve(Self::settings(&database, set));
        Self { address, database, handle }
    }

    /// The service after these commands of an operator; gives what they said, as JSON.
    pub async fn after(commands: &[&str], set: impl FnOnce(&mut App)) -> (Self, Vec<Value>) {
        let database = TestDatabase::new().await;
        let mut told = Vec::new();
        for command in commands {
            told.push(operate(&database, command).await);
        }
        let app = Self::on(database, |app| {
            app.access.refresh = std::time::Duration::from_millis(50);
            set(app);
        });
        (app, told)
    }

    /// Asks until the answer has this status: what an operator does takes effect within seconds.
    pub async fn until(&self, status: u16, ask: impl AsyncFn() -> Answer) -> Answer {
        for _ in 0..600 {
            let answer = ask().await;
            if answer.status == status {
                return answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("never {status}: {}", ask().await.text());
    }

    /// How often this was refused.
    pub async fn refused(&self, key: &str, reason: &str) -> u64 {
        let answer = self.send("GET", "/api/v1/refusals", &[("Authorization", &bearer(key))], []).await;
        let refusals = answer.json()["refusals"].clone();
        let counts = refusals.as_array().unwrap().iter().filter(|count| count["reason"] == reason);
        counts.map(|count| count["count"].as_u64().unwrap()).sum()
    }

    /// Stops the service, whatever it is doing, and starts another one on the same database.
    pub async fn restart(&mut self, set: impl FnOnce(&mut App)) {
        self.handle.stop(false).await;
        (self.address, self.handle) = serve(Self::settings(&self.database, set));
    }

    fn settings(database: &TestDatabase, set: impl FnOnce(&mut App)) -> App {
        let mut app = App {
            // Its connections belong to the service's runtime; that of a test stands still until the service is there.
            store: Store::connect(database.options.clone(), 8),
            vocabulary: vocabulary::shipped().unwrap().into(),
            sender: "bt-wholesale".to_owned(),
            other_senders: Market::ALL.map(|market| market.sender().to_owned()).to_vec(),
            hybris: Arc::default(),
            ack_status: 200,
            spool: None,
            data_dir: None,
            max_body_bytes: 16 * 1024 * 1024,
            access: http::AccessSettings::default(),
            limits: http::Limits::default(),
            tls: None,
        };
        set(&mut app);
        app
    }

    pub async fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.send("POST", path, &[("Content-Type", "application/json")], body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], []).await
    }

    /// A GET that is to succeed, as JSON.
    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// All orders of a list, page by page.
    pub async fn listed(&self, query: &str) -> Vec<Value> {
        let mut orders = Vec::new();
        let mut path = format!("/api/v1/orders?{query}");
        loop {
            let page = self.json(&path).await;
            orders.extend(page["orders"].as_array().unwrap().iter().cloned());
            let Some(cursor) = page["nextCursor"].as_str() else { return orders };
            path = format!("/api/v1/orders?{query}&cursor={cursor}");
        }
    }

    /// The ids of all orders of a list, page by page.
    pub async fn ids_listed(&self, query: &str) -> Vec<String> {
        let orders = self.listed(query).await;
        orders.iter().map(|order| order["orderId"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
        send(self.address, method, path, headers, body.into()).await
    }

    /// Posts all bodies of BT Wholesale's document, in its order.
    pub async fn deliver_all(&self) {
        for (name, body) in bodies("bt-wholesale") {
            let answer = self.post("/listener", body).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        }
    }

    /// Another service on the same database.
    pub fn node(&self) -> Node {
        let store = Store::connect(self.database.options.clone(), 8);
        let (address, handle) = serve(Self::settings(&self.database, |app| app.store = store));
        Node { address, handle }
    }

    /// Stops the service as a signal does: what is under way is answered first.
    pub async fn stop_gracefully(&self) {
        self.handle.stop(true).await;
    }

    pub async fn stop(self) {
        self.handle.stop(false).await;
        self.database.close().await;
    }
}

/// A further service on the database of a [`TestApp`].
pub struct Node {
    address: SocketAddr,
    handle: ServiceHandle,
}

impl Node {
    pub async fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        send(self.address, "POST", path, &[("Content-Type", "application/json")], body.into()).await
    }

    pub async fn stop_node(self) {
        self.handle.stop(false).await;
    }
}

pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Runs a command of an operator with `--json`; gives what it says, as JSON where it is.
pub async fn operate(database: &TestDatabase, command: &str) -> Value {
    let mut arguments: Vec<&str> = command.split(' ').collect();
    if matches!(arguments[1], "add" | "rotate" | "list") {
        arguments.push("--json");
    }
    let told = out(&run(database, &arguments).await);
    serde_json::from_str(&told).unwrap_or(Value::String(told))
}

/// Runs the program on a test's database. The connection goes by the environment, as an operator would.
pub async fn run(database: &TestDatabase, arguments: &[&str]) -> Output {
    let url = database.url();
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let command = move || {
        Command::new(env!("CARGO_BIN_EXE_order-timeline"))
            .args(arguments)
            .env("DATABASE_URL", url)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    tokio::task::spawn_blocking(command).await.unwrap()
}

pub fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn serve(app: App) -> (SocketAddr, ServiceHandle) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let server = http::serve(app, socket).await.unwrap();
            sender.send(server.handle()).unwrap();
            server.run().await.unwrap();
        });
    });
    (address, receiver.recv().unwrap())
}

/// Sends a request to whatever serves there.
pub async fn send(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    let (method, path) = (method.to_owned(), path.to_owned());
    let headers: Vec<(String, String)> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    // The client belongs to actix's own runtime and cannot cross threads.
    let answer = tokio::task::spawn_blocking(move || {
        actix_web::rt::System::new().block_on(async move {
            let client =
                awc::Client::builder().disable_redirects().timeout(std::time::Duration::from_secs(60)).finish();
            let mut request = client.request(method.parse().unwrap(), format!("http://{address}{path}"));
            for (name, value) in headers {
                request = request.insert_header((name, value));
            }
            let mut answer = request.send_body(body).await.unwrap();
            let header = |(name, value): (&awc::http::header::HeaderName, &awc::http::header::HeaderValue)| {
                (name.to_string(), value.to_str().unwrap().to_owned())
            };
            let headers: Vec<(String, String)> = answer.headers().iter().map(header).collect();
            let body = answer.body().limit(64 * 1024 * 1024).await.unwrap().to_vec();
            let content_type = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
            Answer { status: answer.status().as_u16(), content_type: content_type.unwrap_or_default(), headers, body }
        })
    });
    answer.await.unwrap()
}

/// The segments in a spool's directory of which something waits.
pub fn spooled(directory: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|kind| kind == "spool")).collect()
}

/// The bodies of a folder of fixtures, by name.
pub fn bodies(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap());
    files.iter().map(read).collect()
}

/// The one body whose file begins with this.
pub fn body(number: &str) -> Vec<u8> {
    bodies("bt-wholesale").into_iter().find(|(name, _)| name.starts_with(number)).unwrap().1
}

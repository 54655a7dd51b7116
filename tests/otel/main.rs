//! Spans at an OpenTelemetry collector: the program is started as an operator does, and the test is the collector.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt; clippy.toml reaches the test functions only, not what they call"
)]

#[path = "../it/app.rs"]
#[expect(dead_code, reason = "the other test binary uses the rest of it")]
mod app;
#[path = "../it/program.rs"]
#[expect(dead_code, reason = "the other test binary uses the rest of it")]
mod program;

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpResponse, HttpServer, web};

use app::{TestDatabase, body, send};
use program::Program;

/// A word of a body's, of headers and of the database's address that no span may hold.
const SECRET: &str = "hushhush";

/// What was posted to the collector: its content type and its bytes.
type Posted = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// Takes spans by OTLP over HTTP, as a collector does.
fn collector() -> (SocketAddr, Posted) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let posted = Posted::default();
    let kept = web::Data::new(Arc::clone(&posted));
    let take = async |request: actix_web::HttpRequest, bytes: web::Bytes, kept: web::Data<Posted>| {
        let kind = request.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        kept.lock().unwrap().push((kind.unwrap_or_default(), bytes.to_vec()));
        HttpResponse::Ok().content_type("application/x-protobuf").finish()
    };
    let server = move || {
        let app = move || App::new().app_data(kept.clone()).route("/v1/traces", web::post().to(take));
        HttpServer::new(app).workers(1).disable_signals().listen(socket).unwrap().run()
    };
    // It ends with the test's process.
    std::thread::spawn(move || actix_web::rt::System::new().block_on(async { server().await }));
    (address, posted)
}

/// Whether the bytes hold this text; a protobuf message holds texts as they are.
fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn a_collector_gets_spans_with_ids_and_neither_bodies_nor_secrets() {
    let (address, posted) = collector();
    let database = TestDatabase::new().await;
    let url = format!("{}&password={SECRET}", database.url());
    let endpoint = format!("http://{address}");
    // At this level spans carry the most.
    let program = Program::serve(&["--otlp-endpoint", &endpoint, "--log", "trace"], &[("DATABASE_URL", &url)]);
    let headers = [("Authorization", "Bearer hushhush"), ("X-Signature", SECRET), ("Cookie", "a=hushhush")];
    let event = String::from_utf8(body("09")).unwrap().replace("BBONE0005347", SECRET).replace("CUG", SECRET);
    let mut ids = Vec::new();
    for body in [event.clone(), event.replace("\"completed\"", "\"failed\""), format!("{SECRET} is no JSON")] {
        let answer = send(program.address, "POST", "/listener", &headers, body.into_bytes()).await;
        ids.push(answer.json()["deliveryId"].as_str().unwrap().to_owned());
    }
    // What was not sent by then is sent at the end.
    let (_, log) = program.stop();
    database.close().await;
    let posted = posted.lock().unwrap();
    assert!(posted.iter().all(|(kind, _)| kind == "application/x-protobuf"), "{posted:?}");
    let all: Vec<u8> = posted.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    for told in ["order-timeline", "delivery", "delivery_id", "transaction", "bt-wholesale"]
        .into_iter()
        .chain(ids.iter().map(String::as_str))
    {
        assert!(holds(&all, told), "no span tells {told}: {log}");
    }
    assert!(!holds(&all, SECRET), "{}", String::from_utf8_lossy(&all));
}

#[tokio::test]
async fn a_collector_that_is_away_costs_spans_and_nothing_else() {
    let database = TestDatabase::new().await;
    // Bound and let go again: nobody listens there.
    let away = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("http://{away}");
    let program = Program::serve(&["--otlp-endpoint", &endpoint], &[("DATABASE_URL", &database.url())]);
    for number in ["01", "02"] {
        let answer = send(program.address, "POST", "/listener", &[], body(number)).await;
        assert_eq!((answer.status, answer.json()["outcome"].as_str()), (200, Some("applied")), "{}", answer.text());
    }
    program.stop();
    database.close().await;
}

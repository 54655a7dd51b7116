//! How much may come in, packed or not, and how slowly.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::app::{TestApp, TestDatabase, bearer, body, out, run};
use crate::program::Program;
use crate::senders::signed;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(body).unwrap();
    packer.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(body).unwrap();
    packer.finish().unwrap()
}

fn bare(body: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(body).unwrap();
    packer.finish().unwrap()
}

/// A brotli stream of one piece that is not packed (RFC 7932 §9.2): a window of 16 bits, a meta-block, the end.
fn brotli(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() - 1).unwrap();
    assert!(length < 1 << 16);
    // Bits from the least: window 0; not last 0; four nibbles of length 00; the length; uncompressed 1.
    let bits = (length << 4) | (1 << 20);
    let mut stream = bits.to_le_bytes()[..3].to_vec();
    stream.extend_from_slice(body);
    stream.push(0x03);
    stream
}

#[tokio::test]
async fn a_packed_body_is_kept_unpacked_and_is_the_same_event() {
    let app = TestApp::start().await;
    let plain = app.post("/listener", body("02")).await.json();
    for (coding, packed) in [
        ("gzip", gzip(&body("02"))),
        ("GZIP", gzip(&body("02"))),
        ("deflate", zlib(&body("02"))),
        ("deflate", bare(&body("02"))),
        ("br", brotli(&body("02"))),
    ] {
        let answer = app.send("POST", "/listener", &[("Content-Encoding", coding)], packed).await;
        assert_eq!(answer.status, 200, "{coding}: {}", answer.text());
        let receipt = answer.json();
        assert_eq!(
            (&receipt["outcome"], &receipt["duplicateOf"]),
            (&json!("duplicate"), &plain["deliveryId"]),
            "{coding}"
        );
        let id = receipt["deliveryId"].as_str().unwrap();
        assert_eq!(app.get(&format!("/api/v1/deliveries/{id}/body")).await.body, body("02"));
        let headers = app.json(&format!("/api/v1/deliveries/{id}")).await["headers"].to_string();
        assert!(headers.contains("content-encoding"), "{headers}");
    }
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_unpacked_is_kept_as_it_was_sent() {
    let app = TestApp::start().await;
    let mut cut = gzip(&body("02"));
    cut.truncate(100);
    for (coding, sent) in [
        ("gzip", b"no gzip".to_vec()),
        ("gzip", cut),
        ("deflate", vec![0xFF; 50]),
        ("br", vec![0xFF; 50]),
        ("zstd", vec![0x28, 0xB5, 0x2F, 0xFD]),
        ("gzip, br", gzip(&body("02"))),
    ] {
        let answer = app.send("POST", "/listener", &[("Content-Encoding", coding)], sent.clone()).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("not-json")), "{coding}");
        let id = answer.json()["deliveryId"].as_str().unwrap().to_owned();
        assert_eq!(app.get(&format!("/api/v1/deliveries/{id}/body")).await.body, sent, "{coding}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_bomb_is_not_unpacked_further_than_could_be_kept() {
    let app = TestApp::start().await;
    let blank = |mebibytes: usize| vec![b' '; mebibytes * 1024 * 1024];
    let bomb = gzip(&blank(96));
    let (head, small) = (64 * 1024, gzip(&blank(32)));
    assert!(bomb.len() > head && small.len() < head);
    for (coding, sent) in [("gzip", &bomb), ("deflate", &zlib(&blank(96))), ("gzip", &small)] {
        let answer = app.send("POST", "/listener", &[("Content-Encoding", coding)], sent.clone()).await;
        let problem = answer.json();
        assert_eq!((answer.status, problem["code"].as_str()), (413, Some("too-large")), "{coding}");
        // What was sent is far below the limit: the answer is about what it holds, and about what is kept.
        let detail = problem["detail"].as_str().unwrap();
        let kept = if sent.len() > head {
            format!(
                "of its {} packed bytes the first 65536 are kept as they were sent, with the SHA-256 of all",
                sent.len()
            )
        } else {
            format!("its {} packed bytes are kept as they were sent", sent.len())
        };
        let reason = format!("it unpacks to more than the 16777216 bytes that are taken; {kept}");
        assert!(detail.contains(&reason), "{detail}");
        let id = problem["deliveryId"].as_str().unwrap();
        let delivery = app.json(&format!("/api/v1/deliveries/{id}")).await;
        assert_eq!(delivery["bodyLength"], sent.len(), "as it was sent");
        assert_eq!((&delivery["reasonCode"], &delivery["reason"]), (&json!("too-large"), &json!(reason)));
        let body = app.get(&format!("/api/v1/deliveries/{id}/body")).await.body;
        assert!(body == sent[..sent.len().min(head)]);
    }
    let plain = app.post("/listener", blank(17)).await;
    assert_eq!(plain.status, 413);
    let said = "the body of 17825792 bytes is longer than is taken; its first 65536 are kept, with the SHA-256 of all";
    assert!(plain.text().contains(said), "{}", plain.text());
    let placed = app.send("POST", "/hybris/PR/productOrder", &[("Content-Encoding", "gzip")], bomb.clone()).await;
    assert!(placed.status == 413 && placed.text().contains("it unpacks to more than"), "{}", placed.text());
    // What was too large about them is known later, too.
    out(&run(&app.database, &["rebuild", "--check"]).await);
    // There is room for the body as it was sent, and not for what it holds: nothing is kept, and the next fits.
    let narrow = TestApp::with(|app| app.limits.room = 1024 * 1024).await;
    let answer = narrow.send("POST", "/listener", &[("Content-Encoding", "gzip")], bomb).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("busy")));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(narrow.post("/listener", body("00")).await.status, 200, "the room is given back");
    assert_eq!(narrow.database.rows("select from delivery").await.len(), 1);
    narrow.stop().await;
    app.stop().await;
}

#[tokio::test]
async fn bodies_on_their_way_share_a_room_and_the_rest_is_asked_to_come_again() {
    let app = TestApp::with(|app| app.limits.room = 64 * 1024).await;
    // Some that never end.
    let address = app.address;
    let mut open: Vec<TcpStream> = (0..3)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            write!(stream, "POST /listener HTTP/1.1\r\nHost: {address}\r\nContent-Length: 1000000\r\n\r\n").unwrap();
            stream.write_all(&vec![b' '; 20 * 1024]).unwrap();
            stream
        })
        .collect();
    let full = async || app.post("/listener", vec![b' '; 60 * 1024]).await;
    let answer = app.until(503, full).await;
    assert_eq!(answer.json()["code"], "busy");
    open.clear();
    app.until(200, async || app.post("/listener", body("00")).await).await;
    app.stop().await;
}

#[tokio::test]
async fn whoever_dawdles_is_let_go() {
    let app = TestApp::with(|app| {
        app.limits.head_time_out = Duration::from_secs(1);
        app.limits.body_time_out = Duration::from_secs(1);
    })
    .await;
    let address = app.address;
    let talk = move |text: String| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    };
    let head = tokio::task::spawn_blocking(move || talk("POST /listener HT".to_owned())).await.unwrap();
    assert!(head.is_empty() || head.starts_with("HTTP/1.1 408"), "{head}");
    for path in ["/listener", "/oauth/token", "/sign-in", "/settings"] {
        let form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100";
        let half = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{form}\r\n\r\nkey=");
        let body = tokio::task::spawn_blocking(move || talk(half)).await.unwrap();
        assert!(body.starts_with("HTTP/1.1 408") && body.contains("body-too-slow"), "{path}: {body}");
    }
    assert_eq!(app.database.rows("select from delivery").await.len(), 0);
    app.stop().await;
}

#[tokio::test]
async fn lengths_are_counted_and_not_believed() {
    let app = TestApp::with(|app| app.max_body_bytes = 100_000).await;
    let address = app.address;
    let talk = async move |head: &'static str, body: Vec<u8>| {
        let work = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            write!(stream, "POST /listener HTTP/1.1\r\nHost: {address}\r\n{head}\r\n\r\n").unwrap();
            // It may be answered, and the connection closed, before all of it was sent.
            let _ = stream.write_all(&body);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            String::from_utf8_lossy(&answer).into_owned()
        };
        tokio::task::spawn_blocking(work).await.unwrap()
    };
    let mut chunks = Vec::new();
    for _ in 0..300 {
        write!(chunks, "3e8\r\n{}\r\n", "x".repeat(1000)).unwrap();
    }
    chunks.extend_from_slice(b"0\r\n\r\n");
    let answer = talk("Transfer-Encoding: chunked", chunks).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("the body of 300000 bytes"), "{answer}");
    // Shorter than announced, so cut off on its way: nobody can say what was to come.
    talk("Content-Length: 5000", body("01")[..400].to_vec()).await;
    let mut cut = b"190\r\n".to_vec();
    cut.extend_from_slice(&body("01")[..400]);
    talk("Transfer-Encoding: chunked", cut).await;
    for head in [
        "Content-Length: many",
        "Content-Length: -1",
        "Content-Length: 10\r\nContent-Length: 20",
        "Transfer-Encoding: gzip",
    ] {
        let answer = talk(head, body("01")).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{head}: {answer}");
    }
    let kept = app.database.rows("select reason_code from delivery").await;
    assert_eq!(kept, [json!({ "reason_code": "too-large" })], "nothing else was kept");
    assert_eq!(app.post("/listener", body("01")).await.status, 200);
    app.stop().await;
}

#[tokio::test]
async fn connections_that_say_nothing_hold_nobody_up_for_longer_than_a_head_may_take() {
    let app = TestApp::with(|app| {
        app.limits.connections = 4;
        app.limits.head_time_out = Duration::from_secs(1);
    })
    .await;
    let idle: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(app.address).unwrap()).collect();
    assert_eq!(app.post("/listener", body("01")).await.status, 200);
    drop(idle);
    app.stop().await;
}

#[tokio::test]
async fn a_stranger_is_answered_before_the_body_is_there() {
    let (app, _) = TestApp::after(&["senders add acme --bearer"], |_| {}).await;
    let address = app.address;
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(stream, "POST /listener HTTP/1.1\r\nHost: {address}\r\nContent-Length: 1000000\r\n\r\n").unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        String::from_utf8_lossy(&head).into_owned()
    });
    assert_eq!(answer.await.unwrap(), "HTTP/1.1 401");
    app.stop().await;
}

#[tokio::test]
async fn a_signature_may_be_of_the_packed_body_or_of_what_it_holds() {
    use base64::Engine;
    use hmac::{KeyInit, Mac};
    let (app, told) = TestApp::after(&["senders add acme --webhook"], |_| {}).await;
    let key = base64::prelude::BASE64_STANDARD.decode(&told[0]["secret"].as_str().unwrap()[6..]).unwrap();
    let now = chrono::Utc::now().timestamp().to_string();
    for of in [gzip(&body("02")), body("02"), body("03")] {
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("m.{now}.").as_bytes());
        mac.update(&of);
        let signature = format!("v1,{}", base64::prelude::BASE64_STANDARD.encode(mac.finalize().into_bytes()));
        let headers = [
            ("Content-Encoding", "gzip"),
            ("webhook-id", "m"),
            ("webhook-timestamp", &now),
            ("webhook-signature", &signature),
        ];
        let answer = app.send("POST", "/listener", &headers, gzip(&body("02"))).await;
        assert_eq!(answer.status, if of == body("03") { 401 } else { 200 }, "{}", answer.text());
    }
    let wrong = app.send("POST", "/listener", &[("Authorization", &bearer("x"))], body("02")).await;
    assert_eq!(wrong.status, 401);
    app.stop().await;
}

/// Connections are files: those that the process may not have open would take the spool's place.
#[tokio::test]
async fn no_more_connections_are_taken_than_files_may_be_open() {
    let database = TestDatabase::new().await;
    let url = database.url();
    let environment = [("DATABASE_URL", url.as_str())];
    let ends = |files: u32, connections: &str| {
        Program::serve_with_files(files, &["--max-connections", connections], &environment).killed()
    };
    let log = ends(400, "4096");
    assert!(log.contains("--max-connections 4096 cannot be held") && log.contains("240 connections"), "{log}");
    let log = ends(400, "200");
    assert!(!log.contains("cannot be held"), "{log}");
    database.close().await;
}

#[tokio::test]
async fn a_variable_that_is_no_setting_refuses_the_command() {
    let command = std::process::Command::new(env!("CARGO_BIN_EXE_order-timeline"))
        .arg("migrate")
        .env("ORDER_TIMELINE_DATA_DIRECTORY", "/nothing/there")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&command.stderr).into_owned();
    assert!(!command.status.success() && told.contains("did you mean ORDER_TIMELINE_DATA_DIR?"), "{told}");
}

/// A signature is of the whole body, also of one of which only the head is kept.
#[tokio::test]
async fn a_signed_body_that_is_too_large_is_its_senders_all_the_same() {
    let set = |app: &mut order_timeline::http::App| app.max_body_bytes = 128 * 1024;
    let (app, told) = TestApp::after(&["senders add acme --webhook", "keys add reader"], set).await;
    let secret = told[0]["secret"].as_str().unwrap();
    let post = async |of: &[u8], coding: Option<&str>, sent: &[u8]| {
        let signed = signed(secret, chrono::Utc::now().timestamp(), of);
        let signed = signed.iter().map(|(name, value)| (*name, value.as_str()));
        let headers: Vec<(&str, &str)> = signed.chain(coding.map(|coding| ("Content-Encoding", coding))).collect();
        let answer = app.send("POST", "/listener", &headers, sent).await;
        (answer.status, answer.json()["code"].as_str().unwrap().to_owned(), answer.text())
    };
    let long: Vec<u8> = (0..300_000_u32).map(|n| b' ' + u8::try_from(n % 64).unwrap()).collect();
    let packed = gzip(&long);
    assert!(packed.len() < 128 * 1024);
    for (of, coding, sent) in [(&long, None, &long), (&packed, Some("gzip"), &packed), (&long, Some("gzip"), &long)] {
        let (status, code, text) = post(of, coding, sent).await;
        assert_eq!((status, code.as_str()), (413, "too-large"), "{text}");
        assert!(text.contains("deliveryId"), "{text}");
    }
    let mut other = long.clone();
    other[299_999] = b'x';
    let (status, code, text) = post(&long, None, &other).await;
    assert_eq!((status, code.as_str()), (401, "wrong-signature"), "{text}");
    // What it holds was not read to its end.
    let (status, code, text) = post(&long, Some("gzip"), &packed).await;
    assert_eq!((status, code.as_str()), (413, "too-large"), "{text}");
    assert!(
        text.contains("its signature cannot be checked. Nothing was kept.") && !text.contains("deliveryId"),
        "{text}"
    );
    assert_eq!(app.refused(told[1]["key"].as_str().unwrap(), "too-large").await, 1);
    let kept = app.database.rows("select sender, body_length from delivery").await;
    assert_eq!(kept.len(), 3, "{kept:?}");
    app.stop().await;
}

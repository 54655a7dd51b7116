//! How the service ends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::app::{TestDatabase, body};
use crate::program::Program;

/// The program, serving, with a delivery half received.
struct HalfWay {
    program: Program,
    connection: TcpStream,
    rest: Vec<u8>,
}

impl HalfWay {
    fn begin(url: &str) -> Self {
        let program = Program::serve(&[], &[("DATABASE_URL", url)]);
        let mut connection = TcpStream::connect(program.address).unwrap();
        let mut body = body("02");
        let (address, length) = (program.address, body.len());
        let head = format!("POST /listener HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n");
        let rest = body.split_off(body.len() / 2);
        connection.write_all(head.as_bytes()).unwrap();
        connection.write_all(&body).unwrap();
        let half_way = Self { program, connection, rest };
        std::thread::sleep(Duration::from_millis(500));
        half_way
    }

    fn signal(&self, name: &str) {
        self.program.signal(name);
        std::thread::sleep(Duration::from_millis(500));
    }

    /// The answer to the delivery, once its other half was sent.
    fn finish(&mut self) -> String {
        // Where the service has let go of it already, there is no answer.
        let _ = self.connection.write_all(&self.rest);
        self.connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut answer = vec![0; 12];
        let read = self.connection.read(&mut answer).unwrap_or(0);
        String::from_utf8_lossy(&answer[..read]).into_owned()
    }

    fn log(self) -> String {
        drop(self.connection);
        self.program.ended().1
    }
}

#[tokio::test]
async fn what_is_under_way_at_a_signal_is_kept_and_answered() {
    let database = TestDatabase::new().await;
    for (times, name) in [(1, "INT"), (2, "TERM")] {
        let url = database.url();
        let (answer, log) = tokio::task::spawn_blocking(move || {
            let mut half_way = HalfWay::begin(&url);
            half_way.signal(name);
            (half_way.finish(), half_way.log())
        })
        .await
        .unwrap();
        assert_eq!(answer, "HTTP/1.1 200", "{name}: {log}");
        assert!(log.contains(&format!("SIG{name}")) && log.contains("answered first"), "{log}");
        assert_eq!(database.rows("select * from delivery").await.len(), times, "{name}");
    }
    database.close().await;
}

#[tokio::test]
async fn a_second_interrupt_gives_up_what_is_under_way() {
    let database = TestDatabase::new().await;
    let url = database.url();
    let (answer, log) = tokio::task::spawn_blocking(move || {
        let mut half_way = HalfWay::begin(&url);
        half_way.signal("INT");
        half_way.signal("INT");
        (half_way.finish(), half_way.log())
    })
    .await
    .unwrap();
    assert_eq!(answer, "", "{log}");
    assert!(log.contains("given up, unanswered"), "{log}");
    database.close().await;
}

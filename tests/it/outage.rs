//! The program on its own while its database is away: the private one killed under it, another one not there at the
//! start.

use std::path::Path;
use std::time::Duration;

use crate::app::{Answer, TestDatabase, bearer, bodies, body, operate, send};
use crate::program::Program;
use crate::proxy::Proxy;

const JSON: (&str, &str) = ("Content-Type", "application/json");

async fn post(program: &Program, bytes: Vec<u8>) -> Answer {
    send(program.address, "POST", "/listener", &[JSON], bytes).await
}

async fn get(program: &Program, path: &str) -> Answer {
    send(program.address, "GET", path, &[], Vec::new()).await
}

async fn until(program: &Program, path: &str, is_so: impl Fn(&Answer) -> bool) -> Answer {
    for _ in 0..1200 {
        let answer = get(program, path).await;
        if is_so(&answer) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} never is: {}", get(program, path).await.text());
}

fn postmaster(data_dir: &Path) -> String {
    let file = std::fs::read_to_string(data_dir.join("postgresql/data/postmaster.pid")).unwrap();
    file.lines().next().unwrap().trim().to_owned()
}

fn kill(process: &str) {
    assert!(std::process::Command::new("kill").args(["-s", "KILL", process]).status().unwrap().success());
}

fn reachable_directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(directory.path(), open).unwrap();
    directory
}

#[tokio::test]
async fn a_private_postgresql_that_is_killed_is_told_of_and_started_again() {
    let directory = reachable_directory();
    let data_dir = directory.path().join("data");
    let program = Program::serve(&["--data-dir", data_dir.to_str().unwrap()], &[]);
    assert_eq!(post(&program, body("01")).await.status, 200);
    until(&program, "/metrics", |answer| answer.text().contains("order_timeline_database_up 1")).await;
    for _ in 0..2 {
        let killed = postmaster(&data_dir);
        kill(&killed);
        let mut answer = post(&program, body("02")).await;
        while answer.status != 200 {
            assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true), "{}", answer.text());
            tokio::time::sleep(Duration::from_millis(100)).await;
            answer = post(&program, body("02")).await;
        }
        assert_ne!(postmaster(&data_dir), killed);
    }
    assert_eq!(post(&program, body("01")).await.json()["outcome"], "duplicate", "what was there still is");
    let last = postmaster(&data_dir);
    let (_, log) = program.stop();
    assert_eq!(log.matches("THE PRIVATE POSTGRESQL HAS ENDED BY ITSELF").count(), 2, "{log}");
    assert_eq!(log.matches("the private PostgreSQL runs again").count(), 2, "{log}");
    assert!(!Path::new("/proc").join(last).exists(), "it is stopped with the service");
}

#[tokio::test]
async fn a_private_postgresql_is_not_told_what_the_service_is() {
    let directory = reachable_directory();
    let data_dir = directory.path().join("data");
    let secrets = [("ORDER_TIMELINE_HYBRIS_BSS_PR", "http://user:hush@127.0.0.1:9/"), ("ANYTHING_ELSE", "hush")];
    let program = Program::serve(&["--data-dir", data_dir.to_str().unwrap()], &secrets);
    let environment = std::fs::read(Path::new("/proc").join(postmaster(&data_dir)).join("environ")).unwrap();
    let environment = String::from_utf8_lossy(&environment).into_owned();
    assert!(environment.contains("PATH=") && !environment.contains("hush"), "{environment}");
    drop(program);
}

#[tokio::test]
async fn with_a_spool_its_senders_do_not_notice() {
    let directory = reachable_directory();
    let (data_dir, spool) = (directory.path().join("data"), directory.path().join("spool"));
    let arguments = ["--data-dir", data_dir.to_str().unwrap(), "--spool", spool.to_str().unwrap()];
    let program = Program::serve(&arguments, &[]);
    let fixtures = bodies("bt-wholesale");
    let (first, rest) = fixtures.split_first().unwrap();
    assert_eq!(post(&program, first.1.clone()).await.json()["outcome"], "applied");
    kill(&postmaster(&data_dir));
    for (name, bytes) in rest {
        let answer = post(&program, bytes.clone()).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    }
    until(&program, "/health/ready", |answer| answer.text().contains("\"ready\"")).await;
    let kept = get(&program, "/api/v1/deliveries?limit=100").await.json();
    let kept = kept["deliveries"].as_array().unwrap();
    assert_eq!(kept.len(), fixtures.len());
    assert!(kept.iter().all(|delivery| delivery["outcome"] == "applied"), "{kept:?}");
    program.stop();
}

#[tokio::test]
async fn a_service_whose_database_is_away_at_the_start_judges_by_what_it_knew_and_spools() {
    let database = TestDatabase::new().await;
    let secret = operate(&database, "senders add acme --bearer").await["secret"].as_str().unwrap().to_owned();
    let proxy = Proxy::to(&database);
    let url = format!(
        "postgres://{}@127.0.0.1:{}/{}?sslmode=disable",
        database.options.get_username(),
        proxy.address.port(),
        database.options.get_database().unwrap()
    );
    let directory = tempfile::tempdir().unwrap();
    let (known, unknown) = (directory.path().join("known"), directory.path().join("unknown"));
    let serve = |spool: &Path| Program::serve(&["--spool", spool.to_str().unwrap()], &[("DATABASE_URL", &url)]);
    let deliver = async |program: &Program, secret: &str, number: &str| {
        send(program.address, "POST", "/listener", &[JSON, ("Authorization", &bearer(secret))], body(number)).await
    };
    let copy = known.join("access.json");
    let program = serve(&known);
    while !copy.exists() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    program.stop();
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&copy).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(!std::fs::read_to_string(&copy).unwrap().contains(&secret));

    proxy.go_down();
    // Nobody told this one who has access; it may not guess.
    let stranger = serve(&unknown);
    let answer = deliver(&stranger, &secret, "01").await;
    assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true), "{}", answer.text());
    assert_eq!(get(&stranger, "/health/ready").await.status, 503, "it could keep nothing");
    // By whatever name the service is reached: it is not known to be open, and nobody is let in.
    let named = async |method: &str, path: &str| {
        send(stranger.address, method, path, &[JSON, ("Host", "orders.example")], body("01")).await
    };
    let answer = named("POST", "/listener").await;
    assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true), "{}", answer.text());
    assert_eq!(named("GET", "/health/live").await.status, 200);
    let ready = named("GET", "/health/ready").await;
    assert_eq!((ready.status, ready.json()["code"].as_str()), (503, Some("database-unavailable")));
    drop(stranger);

    let program = serve(&known);
    for number in ["00", "01", "02"] {
        let answer = deliver(&program, &secret, number).await;
        assert_eq!((answer.status, answer.json()["outcome"].as_str()), (200, Some("spooled")), "{}", answer.text());
    }
    let answer = deliver(&program, "wrong", "03").await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some("wrong-credentials")));
    assert_eq!(get(&program, "/api/v1/orders").await.status, 401, "what is closed does not open");
    assert_eq!(get(&program, "/health/ready").await.json()["database"], "unavailable");
    proxy.heal();
    until(&program, "/health/ready", |answer| answer.text().contains("\"ready\"")).await;
    assert_eq!(database.rows("select outcome from delivery where sender = 'acme'").await.len(), 3);
    let (said, log) = program.stop();
    assert!(said.contains("Nobody gets in who does not show who they are"), "{said}");
    assert!(log.contains("taken from the copy beside the spool") && !log.contains(&secret), "{log}");
    database.close().await;
}

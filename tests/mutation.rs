//! The reader against made-up damage: fixtures, bent, cut, joined, repeated and
//! overwritten by a seeded generator. Beside
//! the fuzzer in fuzz/, this runs on any toolchain, everywhere.
//!
//! `MUTATION_INPUTS` sets how many inputs (3,000), `MUTATION_SEED` repeats a run.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed; seeds and figures are for people"
)]

use std::path::Path;
use std::time::Instant;

use chrono::DateTime;
use order_timeline::wire::{Beside, statement};
use serde_json::{Value, json};
use uuid::Uuid;

struct Random(u64);

impl Random {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

fn fixtures() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let folders = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// What JSON and its readers stumble over.
const PIECES: [&[u8]; 36] = [
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"[[",
    b"]]",
    b"{\"",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"\\udc00",
    b"\\",
    b"\0",
    b"\xFF",
    b"\xC3",
    b"\xEF\xBB\xBF",
    b"1e400",
    b"-0",
    b"0.1e-400",
    b"99999999999999999999999",
    b"-",
    b"e",
    b",",
    b":",
    b" .~ ",
    b" : ",
    b"9999-12-31T23:59:59Z",
    b"0000-00-00T00:00:00Z",
    b"2023-02-30T25:61:61+99:99",
    b"\"id\":",
    b"\"productOrderItem\":",
    b"\"event\":",
    b"\"eventId\":null",
    b"\"eventTime\":7",
    b"\"errorMessage\":{}",
    b"\n",
];

/// Damages a body in place.
fn mutate(body: &mut Vec<u8>, fixtures: &[Vec<u8>], random: &mut Random) {
    for _ in 0..=random.below(6) {
        let at = random.below(body.len() + 1);
        let length = random.below(64).min(body.len() - at);
        match random.below(9) {
            0 => body.truncate(at),
            1 => drop(body.drain(at..at + length)),
            2 if at < body.len() => body[at] = u8::try_from(random.below(256)).unwrap(),
            3 if at < body.len() => body[at] ^= 1 << random.below(8),
            4 => drop(body.splice(at..at + length, PIECES[random.below(PIECES.len())].iter().copied())),
            5 => drop(body.splice(at..at, PIECES[random.below(PIECES.len())].iter().copied())),
            6 => {
                let piece = body[at..at + length].repeat(random.below(12));
                drop(body.splice(at..at, piece));
            }
            7 => {
                let other = &fixtures[random.below(fixtures.len())];
                let from = random.below(other.len() + 1);
                let piece = &other[from..(from + random.below(512)).min(other.len())];
                drop(body.splice(at..at + length, piece.iter().copied()));
            }
            _ => {
                let depth = 1 + random.below(200);
                drop(body.splice(at..at, std::iter::repeat_n(b'[', depth)));
            }
        }
        body.truncate(64 * 1024);
    }
}

/// Values that no document prints.
fn odd_value(random: &mut Random, other: &Value) -> Value {
    match random.below(14) {
        0 => Value::Null,
        1 => json!(""),
        2 => json!([]),
        3 => json!({}),
        4 => json!(random.next()),
        5 => json!(-1.5e300),
        6 => json!(random.below(2) == 0),
        7 => json!("a\u{0}b"),
        8 => json!("\u{202E}é .~ Warning : 101158 : ".repeat(random.below(20))),
        9 => json!(["x", null, 7, ["y"]]),
        10 => json!("2024-02-30T24:60:60.999999999+14:59"),
        11 => json!({ "id": "1", "productOrderItem": { "id": "2", "productOrderItem": { "id": "1" } } }),
        _ => other.clone(),
    }
}

/// Changes a value somewhere within; the body stays JSON.
fn bend(value: &mut Value, random: &mut Random) {
    let odd = odd_value(random, value);
    let is_here = random.below(5) == 0;
    match value {
        Value::Object(members) if !is_here && !members.is_empty() => {
            let at = random.below(members.len());
            let key = members.keys().nth(at).unwrap().clone();
            match random.below(12) {
                0 => drop(members.remove(&key)),
                1 => drop(members.insert(key.to_uppercase(), odd)),
                _ => bend(members.get_mut(&key).unwrap(), random),
            }
        }
        Value::Array(members) if !is_here && !members.is_empty() => {
            let at = random.below(members.len());
            match random.below(8) {
                0 => drop(members.remove(at)),
                1 => members.push(members[at].clone()),
                2 => *value = members[at].clone(),
                _ => bend(&mut members[at], random),
            }
        }
        _ if random.below(4) == 0 => *value = json!([value.take()]),
        _ => *value = odd,
    }
}

#[test]
fn no_damaged_body_is_more_than_the_reader_can_take() {
    let number = |name: &str| {
        std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap_or_else(|_| panic!("{name} is no number")))
    };
    let inputs = number("MUTATION_INPUTS").unwrap_or(3_000);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = number("MUTATION_SEED").unwrap_or(u64::from(now.subsec_nanos()));
    eprintln!("{inputs} inputs; to repeat them: MUTATION_INPUTS={inputs} MUTATION_SEED={seed}");
    let (fixtures, mut random, began) = (fixtures(), Random(seed), Instant::now());
    let (mut read, mut bytes, mut resident) = (0_u64, 0, 0);
    for number in 0..inputs {
        if number == inputs / 10 {
            resident = resident_kilobytes();
        }
        let mut body = fixtures[random.below(fixtures.len())].clone();
        // Half of them stay JSON, so that more than the parser is tried.
        match serde_json::from_slice::<Value>(&body) {
            Ok(mut value) if random.below(2) == 0 => {
                (0..=random.below(4)).for_each(|_| bend(&mut value, &mut random));
                body = value.to_string().into_bytes();
            }
            _ => mutate(&mut body, &fixtures, &mut random),
        }
        bytes += body.len();
        let made = || statement(Uuid::nil(), DateTime::UNIX_EPOCH, Beside::default(), &body);
        let outcome = std::panic::catch_unwind(|| (made(), number.is_multiple_of(64).then(made)));
        let shown = || format!("input {number} of seed {seed}: {}", String::from_utf8_lossy(&body));
        let (first, again) = outcome.unwrap_or_else(|_| panic!("{}", shown()));
        assert!(again.is_none_or(|again| again == first), "read otherwise the second time, {}", shown());
        read += u64::from(first.is_ok());
    }
    let grown = resident_kilobytes().saturating_sub(resident);
    eprintln!(
        "{inputs} inputs, {} MiB, {read} of them events, in {:.0} s; {grown} KiB more in memory at the end than after \
         the first tenth",
        bytes >> 20,
        began.elapsed().as_secs_f64()
    );
    assert!(read > 0 && read < inputs, "damage, but not only rubble: {read} of {inputs} are events");
    assert!(grown < 16 * 1024, "memory grows: {grown} KiB");
}

fn resident_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

//! Receiving a body, within limits: its size as sent and unpacked, its time, and the room that all bodies on their
//! way share.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use super::entrance::Passage;
use super::error::Problem;
use super::listener::redacted;
use crate::access::{Reason, Sender, Signatures};
use crate::intake::{Body, COUNTED, kept_beside_bomb};
use crate::record::HeaderRecord;

/// The limits of the doors.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a client may take to send a request's head, and its body.
    pub head_time_out: Duration,
    pub body_time_out: Duration,
    /// Connections at once; more have to wait to be accepted.
    pub connections: usize,
    /// Bytes of bodies on their way in, all together.
    pub room: usize,
    /// How long a connection of HTTP/2 may be open without a request under way.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_time_out: Duration::from_secs(10),
            body_time_out: Duration::from_secs(60),
            connections: 4096,
            room: 256 * 1024 * 1024,
            idle: Duration::from_secs(75),
        }
    }
}

/// The room for bodies on their way. Where there is none left, a sender is told to come again, rather than the
/// service growing until the system ends it.
#[derive(Clone, Debug)]
pub struct Room {
    left: Arc<AtomicUsize>,
}

impl Room {
    pub fn new(bytes: usize) -> Self {
        Self { left: Arc::new(AtomicUsize::new(bytes)) }
    }

    fn place(&self) -> Place {
        Place { room: self.clone(), taken: 0 }
    }
}

/// What a body takes of the room, until it is dropped.
#[derive(Debug)]
struct Place {
    room: Room,
    taken: usize,
}

impl Place {
    fn take(&mut self, bytes: usize) -> Result<(), Problem> {
        let take = |left: usize| left.checked_sub(bytes);
        if self.room.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            let detail = "More bodies are on their way than there is room for; this one was not kept. Try again after \
                          the time in Retry-After.";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail));
        }
        self.taken += bytes;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.left.fetch_add(self.taken, Ordering::Relaxed);
    }
}

/// A body that is here.
#[derive(Debug)]
pub struct Received {
    /// What is kept: the JSON itself, where it came packed, too.
    pub body: Body,
    signed: Signed,
    /// It is as it was sent, because it unpacks to more than so many bytes.
    unpacked_beyond: Option<usize>,
    _place: Place,
}

/// What a signature can be of.
#[derive(Debug)]
enum Signed {
    /// What is kept is all of it.
    Kept,
    /// What was sent, or what it holds, which is kept.
    Packed(Vec<u8>),
    /// What was sent. What it holds was not unpacked whole.
    Bomb(Vec<u8>),
    /// More than is kept. The signatures have taken all of it as it was sent, and what that holds is not known where
    /// it is packed.
    Long { signatures: Signatures, is_packed: bool },
    /// More than is read.
    Endless,
}

impl Received {
    /// As it came, and so it is kept.
    fn plain(body: Body, signed: Signed, place: Place) -> Self {
        Self { body, signed, unpacked_beyond: None, _place: place }
    }

    /// What is kept beside it: the headers, and what its bytes do not say themselves.
    pub fn headers(&self, headers: &HeaderMap) -> Vec<HeaderRecord> {
        redacted(headers).into_iter().chain(self.unpacked_beyond.map(kept_beside_bomb)).collect()
    }

    /// The sender that it is from. A signature may be of what was sent, or of what that holds.
    ///
    /// # Errors
    /// Why it is from none; [`Reason::TooLargeToCheck`] where it has a signature that may be of more than was read.
    pub fn sender(&self, passage: &Passage, only: Option<&str>) -> Result<Option<Arc<Sender>>, Reason> {
        let (sender, is_all) = match &self.signed {
            Signed::Kept => (passage.sender(self.body.kept(), only), true),
            Signed::Packed(packed) => match passage.sender(packed, only) {
                Err(Reason::WrongSignature) => (passage.sender(self.body.kept(), only), true),
                told => (told, true),
            },
            Signed::Bomb(packed) => (passage.sender(packed, only), false),
            Signed::Long { signatures, is_packed } => (passage.signer(signatures, only), !is_packed),
            Signed::Endless => (passage.signer(&Signatures::default(), only), false),
        };
        match sender {
            Err(Reason::WrongSignature) if !is_all => Err(Reason::TooLargeToCheck),
            sender => sender,
        }
    }
}

/// Receives a body as it comes, so that its length is what was received and not what was announced.
///
/// One that is packed (`Content-Encoding: gzip`, `deflate` or `br`) is kept unpacked: what it says is the event,
/// the packing is the way's. What cannot be unpacked, or would be too large then, is kept as it was sent.
///
/// # Errors
/// Where it does not come whole, or not in time, or there is no room for it.
pub async fn receive(
    payload: web::Payload,
    headers: &HeaderMap,
    passage: &Passage,
    most: usize,
    limits: Limits,
    room: &Room,
) -> Result<Received, Problem> {
    let mut place = room.place();
    let body = tokio::time::timeout(limits.body_time_out, whole(payload, passage, most, &mut place));
    let (body, signatures) = body.await.map_err(|_| {
        let seconds = limits.body_time_out.as_secs();
        let detail = format!("The body did not arrive within {seconds} seconds; nothing was kept.");
        Problem::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", detail)
    })??;
    let coding = Coding::of(headers);
    let (packed, coding) = match (body, coding) {
        (Body::Whole(packed), Some(coding)) => (packed, coding),
        (body @ Body::Whole(_), None) => return Ok(Received::plain(body, Signed::Kept, place)),
        (body @ Body::TooLarge { .. }, coding) => {
            let long = |signatures| Signed::Long { signatures, is_packed: coding.is_some() };
            return Ok(Received::plain(body, signatures.map_or(Signed::Endless, long), place));
        }
    };
    let (unpacked, packed, place) = if packed.len() > SMALL {
        let work = move || (unpack(coding, &packed, most, &mut place), packed, place);
        web::block(work).await.map_err(|_| {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-taken", "The body could not be unpacked now.")
        })?
    } else {
        (unpack(coding, &packed, most, &mut place), packed, place)
    };
    Ok(match unpacked? {
        Unpacked::Whole(body) => Received::plain(Body::Whole(body), Signed::Packed(packed), place),
        Unpacked::Broken => Received::plain(Body::Whole(packed), Signed::Kept, place),
        Unpacked::TooLarge => {
            let hash = Sha256::digest(&packed).into();
            let length = u64::try_from(packed.len()).unwrap_or(u64::MAX);
            let head = packed.get(..KEPT_HEAD).unwrap_or(&packed).to_vec();
            let body = Body::TooLarge { head, length, hash };
            Received { body, signed: Signed::Bomb(packed), unpacked_beyond: Some(most), _place: place }
        }
    })
}

/// Of a body that is too large, so much is kept.
const KEPT_HEAD: usize = 64 * 1024;
/// What is unpacked faster than another thread could take it over.
const SMALL: usize = 16 * 1024;

/// The body; where it is too large the signatures that have taken all of it, unless not even all was read.
async fn whole(
    mut payload: web::Payload,
    passage: &Passage,
    limit: usize,
    place: &mut Place,
) -> Result<(Body, Option<Signatures>), Problem> {
    let mut body = Vec::new();
    let mut too_large: Option<(u64, Sha256, Signatures)> = None;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|cause| broken_off(&cause))?;
        let size = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        match &mut too_large {
            Some((length, hash, signatures)) => {
                *length = length.saturating_add(size);
                hash.update(&chunk);
                signatures.update(&chunk);
                if *length > COUNTED {
                    break;
                }
            }
            None if body.len().saturating_add(chunk.len()) > limit => {
                let (mut hash, mut signatures) = (Sha256::new(), passage.signatures());
                for part in [&body, &*chunk] {
                    hash.update(part);
                    signatures.update(part);
                }
                let length = u64::try_from(body.len()).unwrap_or(u64::MAX).saturating_add(size);
                too_large = Some((length, hash, signatures));
                body.extend_from_slice(&chunk);
                body.truncate(KEPT_HEAD);
                body.shrink_to_fit();
            }
            None => {
                place.take(chunk.len())?;
                body.extend_from_slice(&chunk);
            }
        }
    }
    Ok(match too_large {
        Some((length, hash, signatures)) => {
            let body = Body::TooLarge { head: body, length, hash: hash.finalize().into() };
            (body, (length <= COUNTED).then_some(signatures))
        }
        None => (Body::Whole(body), None),
    })
}

/// The sender never handed the whole body over, so there is nothing to keep.
fn broken_off(cause: &actix_web::error::PayloadError) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "body-broken-off", format!("The body did not arrive whole: {cause}."))
}

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
}

impl Coding {
    /// The one coding of a body; several, or one that nobody here knows, leave it as it is.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let mut all = headers.get_all(header::CONTENT_ENCODING);
        let (Some(coding), None) = (all.next(), all.next()) else { return None };
        match coding.to_str().ok()?.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            _ => None,
        }
    }
}

enum Unpacked {
    Whole(Vec<u8>),
    TooLarge,
    Broken,
}

fn unpack(coding: Coding, packed: &[u8], most: usize, place: &mut Place) -> Result<Unpacked, Problem> {
    match coding {
        Coding::Gzip => drain(flate2::read::MultiGzDecoder::new(packed), most, place),
        Coding::Brotli => drain(brotli_decompressor::Decompressor::new(packed, SMALL), most, place),
        // RFC 9110 means zlib's form; some send the bare one.
        Coding::Deflate => match drain(flate2::read::ZlibDecoder::new(packed), most, place)? {
            Unpacked::Broken => drain(flate2::read::DeflateDecoder::new(packed), most, place),
            unpacked => Ok(unpacked),
        },
    }
}

/// A few bytes can unpack to gigabytes: no more is unpacked than could be kept.
fn drain(mut from: impl Read, most: usize, place: &mut Place) -> Result<Unpacked, Problem> {
    let mut body = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        let read = match from.read(&mut chunk) {
            Ok(0) => return Ok(Unpacked::Whole(body)),
            Ok(read) => chunk.get(..read).unwrap_or_default(),
            Err(_) => return Ok(Unpacked::Broken),
        };
        if body.len().saturating_add(read.len()) > most {
            return Ok(Unpacked::TooLarge);
        }
        place.take(read.len())?;
        body.extend_from_slice(read);
    }
}

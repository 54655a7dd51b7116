//! Ends connections over which nothing is asked for. HTTP/1.1's are closed by the server; those of HTTP/2 it keeps as long
//! as the client answers its pings, and so a stranger could hold all that there are.

use std::any::Any;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::HttpRequest;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use actix_web::web::Bytes;

/// What goes on over a connection of HTTP/2.
#[derive(Debug)]
struct Talk {
    last: Mutex<Instant>,
    /// Requests whose answers have not begun.
    asked: AtomicUsize,
}

impl Talk {
    fn touch(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn is_idle(&self, for_long: Duration) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        self.asked.load(Ordering::Relaxed) == 0 && last.elapsed() >= for_long
    }
}

/// Watches a connection that has just been made, where it speaks HTTP/2, and ends it when nothing was asked for so long.
pub fn watch(connection: &dyn Any, extensions: &mut Extensions, longest: Duration) {
    let Some(stream) = connection.downcast_ref::<TlsStream<TcpStream>>() else { return };
    let (socket, session) = stream.get_ref();
    if session.alpn_protocol() != Some(b"h2") {
        return;
    }
    // A handle of its own: the number of the other may be another connection's by the time it is used.
    let Ok(socket) = socket.as_fd().try_clone_to_owned().map(std::net::TcpStream::from) else { return };
    let talk = Arc::new(Talk { last: Mutex::new(Instant::now()), asked: AtomicUsize::new(0) });
    let watched = Arc::downgrade(&talk);
    extensions.insert(talk);
    actix_web::rt::spawn(async move {
        loop {
            tokio::time::sleep(longest / 4).await;
            match watched.upgrade() {
                None => return,
                Some(talk) if talk.is_idle(longest) => {
                    // One that has ended meanwhile needs no end.
                    let _ = socket.shutdown(Shutdown::Both);
                    return;
                }
                Some(_) => {}
            }
        }
    });
}

/// A request that has no answer yet; none where nobody watches its connection.
#[derive(Debug)]
pub struct Asked(Option<Arc<Talk>>);

impl Asked {
    pub fn now(request: &HttpRequest) -> Self {
        let talk = request.conn_data::<Arc<Talk>>().cloned();
        if let Some(talk) = &talk {
            talk.asked.fetch_add(1, Ordering::Relaxed);
        }
        Self(talk)
    }

    /// The answer has begun; as long as its client takes of it, the connection is not idle.
    pub fn answered(self, body: BoxBody) -> BoxBody {
        match &self.0 {
            Some(talk) => BoxBody::new(Answer { talk: Arc::clone(talk), body }),
            None => body,
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(talk) = &self.0 {
            talk.touch();
            talk.asked.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

struct Answer {
    talk: Arc<Talk>,
    body: BoxBody,
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.talk.touch();
        Pin::new(&mut self.body).poll_next(context)
    }
}

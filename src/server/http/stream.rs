//! The stream of a connection, with deadlines for what actix-http waits for without one: it limits only the time to the
//! first request's head and the time in which nothing arrives after an answer.
//!
//! While a request is handled or its answer is written there is no deadline here: bodies, handlers, sessions and clients
//! that do not read have their own.

use std::io::{Error, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_http::Extensions;
use engineio::HalfCloseStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::admission::Slot;
use super::exchange::{Exchange, Phase};
use crate::config::ServerSettings;

/// How long a connection with a reserved slot may do without a request. Others wait for the slot, but a client that has
/// waited to be accepted may be as slow as any other.
const RESERVED: Duration = Duration::from_secs(5);

/// Answers a head that is incomplete at its deadline.
const REQUEST_TIMEOUT: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// How long a connection may wait for its client.
#[derive(Clone, Debug)]
pub(super) struct Deadlines {
    /// For the first byte of the first request.
    unused: Duration,
    /// For the first byte of a further one.
    idle: Duration,
    /// From a request's first byte to the end of its head.
    head: Duration,
}

impl Deadlines {
    pub(super) fn new(settings: &ServerSettings) -> Self {
        Self {
            unused: Duration::from_secs(settings.unused_connection_seconds),
            idle: Duration::from_secs(settings.keep_alive_seconds),
            head: Duration::from_millis(settings.head_timeout_ms),
        }
    }

    fn of(&self, exchange: &Exchange) -> Option<Instant> {
        let (since, limit) = match exchange.phase.get() {
            Phase::Idle(since) if exchange.is_unused.get() => (since, self.unused),
            Phase::Idle(since) => (since, self.idle),
            Phase::Head(since) => (since, self.head),
            Phase::Request | Phase::Answer => return None,
        };
        Some(since + if exchange.is_reserved { limit.min(RESERVED) } else { limit })
    }
}

/// The stream of an accepted connection. At a deadline it reads as if the client had hung up, and actix-http ends the
/// connection; a client that has begun a request is answered 408 before that.
#[derive(Debug)]
pub(super) struct ConnectionStream<Io> {
    io: HalfCloseStream<Io>,
    exchange: Rc<Exchange>,
    deadlines: Deadlines,
    /// Runs at the current deadline or earlier.
    timer: Option<Pin<Box<Sleep>>>,
    is_over: bool,
    _slot: Slot,
}

impl<Io: AsyncRead + AsyncWrite + Unpin> ConnectionStream<Io> {
    pub(super) fn new(io: Io, slot: Slot, deadlines: Deadlines) -> Self {
        Self {
            io: HalfCloseStream::new(io),
            exchange: Rc::new(Exchange::new(slot.is_reserved())),
            deadlines,
            timer: None,
            is_over: false,
            _slot: slot,
        }
    }

    /// Lets the requests of the connection find it.
    pub(super) fn register(&self, connection_data: &mut Extensions) {
        connection_data.insert(Rc::clone(&self.exchange));
        self.io.register(connection_data);
    }

    /// Ready when the client has let the deadline pass, if there is one.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadlines.of(&self.exchange) else {
            // A WebSocket needs none for as long as it lives.
            self.timer.take_if(|timer| timer.is_elapsed());
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        // A deadline is usually replaced by a later one long before it passes, so the timer is left to run.
        while timer.deadline() > deadline || timer.as_mut().poll(context).is_ready() {
            if timer.deadline() == deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> AsyncRead for ConnectionStream<Io> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        if this.is_over {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        if let Poll::Ready(outcome) = Pin::new(&mut this.io).poll_read(context, buffer) {
            if buffer.filled().len() > before && matches!(this.exchange.phase.get(), Phase::Idle(_)) {
                this.exchange.phase.set(Phase::Head(Instant::now()));
            }
            return Poll::Ready(outcome);
        }
        ready!(this.poll_deadline(context));
        this.is_over = true;
        if matches!(this.exchange.phase.get(), Phase::Head(_)) {
            // Earlier answers are written, so these few bytes fit into the kernel's buffer.
            let _ = Pin::new(&mut this.io).poll_write(context, REQUEST_TIMEOUT);
        }
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ConnectionStream<Io> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize, Error>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    /// actix-http flushes when it has written everything that it has.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.io).poll_flush(context))?;
        if this.exchange.phase.get() == Phase::Answer {
            this.exchange.phase.set(Phase::Idle(Instant::now()));
            // It may not be read again before something arrives, so the timer is started here.
            let _ = this.poll_deadline(context);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

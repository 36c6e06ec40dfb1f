//! The two directions of a TCP connection, which end separately and which actix-http treats as one.
//!
//! - *Sending.* A server sends FIN right after a WebSocket's last frame (RFC 6455, sections 5.5.1 and 7.1.1). actix-http
//!   takes all that follows a handshake for the request's body, which has not ended, and waits for its end with an open
//!   connection. A browser reports the close of a WebSocket only when the connection ends.
//! - *Receiving.* With `h1_allow_half_closed(true)` a request is answered whose client has sent FIN after it. A poll that
//!   waits would not notice that its client is gone.
//!
//! [`HalfCloseStream`] is the connection's stream, [`HalfClose`] what requests on it share with it.

use std::cell::{Cell, RefCell};
use std::io::{Error, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use actix_http::Extensions;
use actix_web::HttpRequest;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection on which a closed WebSocket ends at once, and whose long polls end when the client hangs up.
///
/// It wraps the stream of an [`HttpService`](actix_http::HttpService). Without it, as with
/// [`HttpServer`](actix_web::HttpServer), which has no place for it, everything works, but a client waits for the end of
/// a closed WebSocket for as long as `client_disconnect_timeout`; and `h1_allow_half_closed` must then be `false`.
///
/// ```
/// use actix_engineio::HalfCloseStream;
/// use actix_http::{HttpService, Protocol};
/// use actix_service::{ServiceFactoryExt, fn_service, map_config};
/// use actix_web::dev::AppConfig;
/// use actix_web::rt::net::TcpStream;
/// use actix_web::{App, Error};
///
/// # fn listen(listener: std::net::TcpListener) -> std::io::Result<actix_server::Server> {
/// let server = actix_server::Server::build().listen("http", listener, || {
///     let http = HttpService::build()
///         .h1_allow_half_closed(true)
///         .on_connect_ext(|stream: &HalfCloseStream<TcpStream>, data| stream.register(data))
///         .finish(map_config(App::new(), |_| AppConfig::default()));
///     fn_service(|stream: TcpStream| async {
///         let peer = stream.peer_addr().ok();
///         Ok((HalfCloseStream::new(stream), Protocol::Http1, peer))
///     })
///     .and_then(http)
/// })?;
/// # Ok(server.run())
/// # }
/// ```
#[derive(Debug)]
pub struct HalfCloseStream<Io> {
    io: Io,
    state: Rc<HalfClose>,
}

/// What the stream of a connection shares with the requests on it.
#[derive(Debug, Default)]
pub(crate) struct HalfClose {
    sending: Cell<Sending>,
    is_receiving_over: Cell<bool>,
    /// The poll that waits for the end of receiving.
    waker: RefCell<Option<Waker>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sending {
    #[default]
    Open,
    /// Nothing follows what has been written.
    Ending,
    /// FIN is sent.
    Ended,
}

impl<Io> HalfCloseStream<Io> {
    /// A stream for a new connection.
    #[must_use]
    pub fn new(io: Io) -> Self {
        Self { io, state: Rc::default() }
    }

    /// Lets the requests of the connection find it: for
    /// [`on_connect_ext`](actix_http::HttpServiceBuilder::on_connect_ext).
    pub fn register(&self, connection_data: &mut Extensions) {
        connection_data.insert(Rc::clone(&self.state));
    }
}

impl HalfClose {
    /// That of a request's connection, if its stream is a registered [`HalfCloseStream`].
    pub(crate) fn of(request: &HttpRequest) -> Option<Rc<Self>> {
        request.conn_data::<Rc<Self>>().map(Rc::clone)
    }

    /// Nothing follows what has been written: the next flush ends the sending.
    pub(crate) fn end_sending(&self) {
        if self.sending.get() == Sending::Open {
            self.sending.set(Sending::Ending);
        }
    }

    /// Ready when the client has sent FIN.
    pub(crate) fn poll_receiving_over(&self, context: &Context<'_>) -> Poll<()> {
        if self.is_receiving_over.get() {
            return Poll::Ready(());
        }
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            *waker = Some(context.waker().clone());
        }
        Poll::Pending
    }

    fn receiving_is_over(&self) {
        self.is_receiving_over.set(true);
        let waker = self.waker.borrow_mut().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for HalfCloseStream<Io> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        let (before, has_space) = (buffer.filled().len(), buffer.remaining() > 0);
        ready!(Pin::new(&mut this.io).poll_read(context, buffer))?;
        if has_space && buffer.filled().len() == before {
            this.state.receiving_is_over();
        }
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for HalfCloseStream<Io> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        Pin::new(&mut self.get_mut().io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize, Error>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    /// actix-http flushes when it has written everything that it has.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(Pin::new(&mut self.io).poll_flush(context))?;
        if self.state.sending.get() == Sending::Ending { self.poll_shutdown(context) } else { Poll::Ready(Ok(())) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        // Once the client's FIN has arrived, too, a second shutdown would be an error.
        if this.state.sending.get() != Sending::Ended {
            ready!(Pin::new(&mut this.io).poll_shutdown(context))?;
            this.state.sending.set(Sending::Ended);
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;

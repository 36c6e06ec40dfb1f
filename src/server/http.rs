//! Serving HTTP on accepted connections: what `actix_web::HttpServer` does, on a stream of our own.
//!
//! Each connection is admitted ([`admission`]), gets deadlines for what actix-http waits for without one ([`stream`],
//! [`exchange`]), and ends a WebSocket at its close frame ([`engineio::HalfCloseStream`]).

mod admission;
mod exchange;
mod stream;

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Protocol};
use actix_server::Server as HttpServer;
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use tracing_actix_web::TracingLogger;

use self::admission::{Connections, WorkerConnections};
use self::stream::{ConnectionStream, Deadlines};
use super::descriptors::Slots;
use crate::api::{self, Api};
use crate::config::Settings;
use crate::telemetry::{Refused, RequestSpan};
use socketio::SocketIo;

/// Seconds that HTTP workers get to write the last answers; by then every handler has returned.
const LAST_WRITES_SECONDS: u64 = 1;

/// How long a client may take to close its side of a connection that the server has closed. actix-http measures with a
/// clock that advances twice a second, or later on a stalled worker, and sets no timer for a deadline that has passed:
/// the connection would then stay open until the client closes it. So this must be well above half a second.
const CLIENT_DISCONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Serves connections that are accepted from a listener.
///
/// # Errors
/// When the listener cannot be shared.
pub(super) fn serve(
    settings: &Settings,
    slots: Slots,
    api: Api,
    sockets: &SocketIo,
    listener: &TcpListener,
) -> std::io::Result<HttpServer> {
    let builder = HttpServer::build()
        .workers(settings.server.worker_threads())
        .max_concurrent_connections(slots.all())
        .shutdown_timeout(LAST_WRITES_SECONDS)
        .disable_signals();
    let shutdown = builder.graceful_shutdown_signal();
    let connections = Connections::new(&settings.server, api.services.proxies.clone());
    let deadlines = Deadlines::new(&settings.server);
    let (cors, drain) = (settings.cors.clone(), api.drain.clone());
    let (routes, socket_routes) = (api::configure(api), sockets.configure());
    let builder = builder.listen("http", listener.try_clone()?, move || {
        let app = App::new()
            .configure(socket_routes.clone())
            .configure(routes.clone())
            .wrap(drain.clone())
            .wrap(api::cors(&cors))
            .wrap(TracingLogger::<RequestSpan>::new());
        let shutdown = shutdown.clone();
        let http = HttpService::build()
            // The stream has deadlines of its own for both.
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(Duration::ZERO)
            // A client may send FIN and wait for its answer; the stream reports FIN to long polls.
            .h1_allow_half_closed(true)
            .client_disconnect_timeout(CLIENT_DISCONNECT_TIMEOUT)
            .on_connect_ext(|stream: &ConnectionStream<TcpStream>, data| stream.register(data))
            .graceful_shutdown_signal(move || {
                let shutdown = shutdown.clone();
                async move { shutdown.notified().await }
            })
            .finish(exchange::observe(map_config(app, |_| AppConfig::default())));
        // Called once for each worker.
        let (worker, deadlines) = (connections.for_worker(slots), deadlines.clone());
        fn_service(move |stream: TcpStream| {
            let accepted = accept(&worker, deadlines.clone(), stream).ok_or(ConnectionError::Refused);
            async move { accepted }
        })
        .and_then(http.map_err(ConnectionError::Http))
        .map_err(report)
    })?;
    Ok(builder.run())
}

/// Why a connection ended.
enum ConnectionError {
    /// It was not admitted, which has been recorded.
    Refused,
    Http(DispatchError),
}

/// Admits a connection; one that is not admitted is closed.
fn accept(
    worker: &WorkerConnections,
    deadlines: Deadlines,
    stream: TcpStream,
) -> Option<(ConnectionStream<TcpStream>, Protocol, Option<SocketAddr>)> {
    let peer = stream.peer_addr().ok();
    let slot = worker.admit(peer.as_ref().map(SocketAddr::ip))?;
    // Writes are complete packets and coalesced already. Nagle's algorithm would hold one back until the client's delayed
    // acknowledgement, about 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection is gone");
    }
    Some((ConnectionStream::new(stream, slot, deadlines), Protocol::Http1, peer))
}

/// A scanner causes such errors as often as it likes. actix-http logs them as errors of the server, which the log leaves
/// out ([`crate::telemetry`]).
fn report(error: ConnectionError) {
    let ConnectionError::Http(error) = error else { return };
    match &error {
        // actix-http gives a malformed chunk of a body as an error of the connection.
        DispatchError::Io(cause) if cause.kind() != ErrorKind::InvalidInput => {}
        DispatchError::Io(_) => Refused::Malformed.record("malformed chunk"),
        DispatchError::Parse(cause) => Refused::Malformed.record(cause),
        _ => {}
    }
    tracing::debug!(%error, "a connection ended");
}

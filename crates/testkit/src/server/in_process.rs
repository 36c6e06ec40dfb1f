//! A server on a thread of the test's process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use switchboard::config::{Settings, Sources};
use switchboard::conversation::Clock;
use switchboard::server::Server;
use tokio::sync::oneshot;

use super::{ServerOptions, StartFailure};

/// Shut down when dropped, which waits until it is.
#[derive(Debug)]
pub(super) struct InProcessServer {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl InProcessServer {
    pub(super) async fn start(
        options: &ServerOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, SocketAddr), StartFailure> {
        let sources = Sources { folder: None, variables: options.variables.clone() };
        let settings = Settings::load(&sources).map_err(|error| failure(&error))?.1;
        let (started, start) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = match Server::start_with_clock(clock, settings, true).await {
                    Ok(server) => server,
                    Err(error) => {
                        // The other end waits for it, unless the test has ended meanwhile.
                        let _ = started.send(Err(failure(&error)));
                        return;
                    }
                };
                let _ = started.send(Ok(server.address()));
                // Also an error ends the wait: the sender is dropped with the server's handle.
                let _ = stopped.await;
                server.stop().await;
            });
        });
        let server = Self { stop: Some(stop), thread: Some(thread) };
        let address = start.await.expect("the server's thread has panicked")?;
        Ok((server, address))
    }
}

fn failure(error: &impl std::fmt::Display) -> StartFailure {
    StartFailure { status: None, log: error.to_string() }
}

impl Drop for InProcessServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A second panic during unwinding would abort the process and hide the first.
            if thread.join().is_err() && !std::thread::panicking() {
                panic!("the server has panicked");
            }
        }
    }
}

//! The server's address, and connections to it, plain or over TLS.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use url::Url;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// Why a URL is not an endpoint.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The URL has another form.
    #[error("--url must look like http://localhost:1500 or https://support.example.com, not {0:?}")]
    Form(String),
    /// The host name does not resolve.
    #[error("the name {host:?} cannot be resolved: {error}")]
    Unknown {
        /// The name.
        host: String,
        /// The resolver's error.
        error: io::Error,
    },
    /// The TLS configuration failed.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// A server's address.
pub(super) struct Endpoint {
    /// The URL as given, for messages.
    pub(super) url: String,
    /// The value of the `Host` header.
    pub(super) authority: String,
    addresses: Vec<SocketAddr>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Endpoint {
    pub(super) async fn resolve(url: &str) -> Result<Self, EndpointError> {
        let form = || EndpointError::Form(url.to_owned());
        let parsed = Url::parse(url).map_err(|_| form())?;
        let secure = match parsed.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(form()),
        };
        let host = parsed.host_str().ok_or_else(form)?.to_owned();
        if parsed.path() != "/" || parsed.query().is_some() {
            return Err(form());
        }
        let port = parsed.port_or_known_default().ok_or_else(form)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let unknown = |error| EndpointError::Unknown { host: host.clone(), error };
        let addresses: Vec<SocketAddr> = lookup_host((bare, port)).await.map_err(unknown)?.collect();
        let tls = if secure { Some(connector(bare)?) } else { None };
        let authority = parsed.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        Ok(Self { url: url.trim_end_matches('/').to_owned(), authority, addresses, tls })
    }

    pub(super) async fn connect(&self) -> io::Result<Stream> {
        let connecting = async {
            let stream = TcpStream::connect(self.addresses.as_slice()).await?;
            stream.set_nodelay(true)?;
            Ok(match &self.tls {
                None => Stream::Plain(stream),
                Some((connector, name)) => Stream::Secure(Box::new(connector.connect(name.clone(), stream).await?)),
            })
        };
        tokio::time::timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// A TLS connector that trusts the certificates of this machine.
fn connector(host: &str) -> Result<(TlsConnector, ServerName<'static>), EndpointError> {
    let fault = |error: &dyn std::fmt::Display| EndpointError::Tls(error.to_string());
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| fault(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| fault(&error))?;
    Ok((TlsConnector::from(Arc::new(config)), name))
}

/// A connection.
pub(super) enum Stream {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

macro_rules! either {
    ($self:ident, $method:ident $(, $argument:expr)*) => {
        match $self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Secure(stream) => Pin::new(stream.as_mut()).$method($($argument),*),
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, poll_read, context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, poll_write, context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, poll_flush, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, poll_shutdown, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, poll_write_vectored, context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Secure(stream) => stream.is_write_vectored(),
        }
    }
}

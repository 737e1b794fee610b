//! Connections on which both sides agreed on keys. Agreeing goes on beside one another, for a bounded time and in a bounded
//! number: who is slow, or says nothing, keeps nobody else out.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::task::AbortOnDropHandle;

/// While so many agree, the next ones wait in the kernel.
const HANDSHAKES_MAX: usize = 512;

/// `None`: it came to nothing.
type Agreed = Option<(TlsStream<TcpStream>, SocketAddr)>;

pub(crate) struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    handshake_timeout: Duration,
    handshakes: JoinSet<Agreed>,
    _following: AbortOnDropHandle<()>,
}

impl TlsListener {
    /// `following` ends with the listener.
    pub(super) fn new(
        tcp: TcpListener,
        config: Arc<ServerConfig>,
        handshake_timeout: Duration,
        following: AbortOnDropHandle<()>,
    ) -> Self {
        Self {
            tcp,
            acceptor: config.into(),
            handshake_timeout,
            handshakes: JoinSet::new(),
            _following: following,
        }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    /// May be given up at any await: what has begun is kept for the next call.
    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let room = self.handshakes.len() < HANDSHAKES_MAX;
            tokio::select! {
                Some(ended) = self.handshakes.join_next() => {
                    if let Ok(Some(agreed)) = ended {
                        return agreed;
                    }
                }
                (stream, peer) = Listener::accept(&mut self.tcp), if room => {
                    let patience = self.handshake_timeout;
                    self.handshakes.spawn(agree(self.acceptor.clone(), stream, peer, patience));
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

async fn agree(acceptor: TlsAcceptor, stream: TcpStream, peer: SocketAddr, patience: Duration) -> Agreed {
    match tokio::time::timeout(patience, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some((stream, peer)),
        // anybody can send anything: no more than a detail
        Ok(Err(error)) => {
            tracing::debug!(%peer, %error, "a TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!(%peer, "a TLS handshake took too long");
            None
        }
    }
}

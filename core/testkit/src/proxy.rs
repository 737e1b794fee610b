//! A way to a server that a test can silence or lead elsewhere, as a lost machine and a failover do to those connected.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Takes connections on a port of its own and passes them on. Lives as long as the test's runtime.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    target: Arc<Mutex<String>>,
    silenced: watch::Sender<()>,
}

impl Proxy {
    /// A way to `target`, a host and a port.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn to(target: impl Into<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let target = Arc::new(Mutex::new(target.into()));
        let (silenced, told) = watch::channel(());
        tokio::spawn(take(listener, Arc::clone(&target), told));
        Self { port, target, silenced }
    }

    /// The port on 127.0.0.1 where it listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Leads those that connect from now on to another server. Who is connected stays where he is.
    pub fn lead_to(&self, target: impl Into<String>) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = target.into();
    }

    /// Who is connected stays so and hears nothing more, as if the other machine were gone. New connections work.
    pub fn silence(&self) {
        self.silenced.send_replace(());
    }
}

async fn take(listener: TcpListener, target: Arc<Mutex<String>>, told: watch::Receiver<()>) {
    while let Ok((client, _)) = listener.accept().await {
        let target = target.lock().unwrap_or_else(PoisonError::into_inner).clone();
        tokio::spawn(pass(client, target, told.clone()));
    }
}

async fn pass(mut client: TcpStream, target: String, mut told: watch::Receiver<()>) {
    // only what is told from now on
    told.mark_unchanged();
    let Ok(mut server) = TcpStream::connect(target).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => return,
        Ok(()) = told.changed() => {}
    }
    // both ends stay open, and nobody reads what comes
    std::future::pending::<()>().await;
}

//! The two listeners: the API's, which may speak TLS, and the operators' one with health, metrics and the API's description.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::{Listener, ListenerExt, TapIo};
use domain::runtime_settings::LookError;
use settings::Settings;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::{App, StartError};
use crate::tls::Tls;
use crate::{ops_router, router};

/// Serves what `settings` say until `shutdown` is cancelled and requests in flight are answered or out of time.
///
/// # Errors
/// When a setting cannot be used, an address is taken, or a listener breaks.
pub async fn serve(settings: Settings, shutdown: CancellationToken) -> Result<(), StartError> {
    let app = App::from_settings(settings)?;
    match app.look_at_settings().await {
        // it is asked again and again, and until it answers nothing is written either
        Ok(_) | Err(LookError::Db(_)) => {}
        Err(refused) => return Err(refused.into()),
    }
    Server::bind(app).await?.run(shutdown).await
}

/// Bound, and not serving yet.
pub struct Server {
    app: Arc<App>,
    api: (SocketAddr, TcpListener),
    ops: (SocketAddr, TcpListener),
    tls: Option<Tls>,
}

impl Server {
    /// Takes both addresses; port 0 is any free one.
    ///
    /// # Errors
    /// When an address cannot be had, or the API cannot speak TLS with the files that it is given.
    pub async fn bind(app: Arc<App>) -> Result<Self, StartError> {
        let tls = Tls::new(&app.settings.api.tls, app.clock.now())?;
        let api = listen(app.settings.api.listen).await?;
        let ops = listen(app.settings.api.ops_listen).await?;
        Ok(Self { app, api, ops, tls })
    }

    /// Where the API listens.
    #[must_use]
    pub const fn api_address(&self) -> SocketAddr {
        self.api.0
    }

    /// Where health, metrics and the API's description are.
    #[must_use]
    pub const fn ops_address(&self) -> SocketAddr {
        self.ops.0
    }

    /// Serves until told to stop: then accepts no more, and gives requests in flight `api.drain_timeout_ms`. Health is
    /// served to the end, and says that the process is not ready.
    ///
    /// # Errors
    /// When a listener breaks.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), StartError> {
        let Self { app, api, ops, tls } = self;
        let (api_address, ops_address) = (api.0, ops.0);
        let drain = Duration::from_millis(app.settings.api.drain_timeout_ms);
        let (stop_api, stop_ops) = (app.stopping.clone(), CancellationToken::new());
        tracing::info!(api = %api_address, ops = %ops_address, tls = tls.is_some(), "serving");
        let routes = router(app.clone());
        let mut api = match tls {
            None => start(api.1.tap_io(send_at_once), routes, stop_api.clone()),
            Some(tls) => {
                let listener = tls.listen(api.1, app.clock.clone());
                let listener = listener.tap_io(|stream| send_at_once(stream.get_mut().0));
                start(listener, routes, stop_api.clone())
            }
        };
        let mut ops = start(ops.1.tap_io(send_at_once), ops_router(app), stop_ops.clone());
        tokio::select! {
            () = shutdown.cancelled() => {}
            ended = &mut api => return joined(api_address, ended),
            ended = &mut ops => return joined(ops_address, ended),
        }
        stop_api.cancel();
        let drained = match tokio::time::timeout(drain, &mut api).await {
            Ok(ended) => joined(api_address, ended),
            Err(_) => {
                tracing::warn!(
                    ms = drain.as_millis(),
                    "requests were still in flight when the time to drain was over"
                );
                api.abort();
                Ok(())
            }
        };
        stop_ops.cancel();
        ops.abort();
        tracing::info!("stopped");
        drained
    }
}

async fn listen(address: SocketAddr) -> Result<(SocketAddr, TcpListener), StartError> {
    let failed = |error| StartError::Listen(address, error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    Ok((listener.local_addr().map_err(failed)?, listener))
}

/// Answers are whole: nothing is gained by waiting for more.
fn send_at_once(stream: &mut TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
}

fn start<L, F>(listener: TapIo<L, F>, router: Router, stop: CancellationToken) -> JoinHandle<std::io::Result<()>>
where
    L: Listener<Addr = SocketAddr>,
    F: FnMut(&mut L::Io) + Send + 'static,
{
    tokio::spawn(async move {
        // the middleware asks who is at the other end
        axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
    })
}

fn joined(address: SocketAddr, ended: Result<std::io::Result<()>, tokio::task::JoinError>) -> Result<(), StartError> {
    ended
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
        .map_err(|error| StartError::Listen(address, error))
}

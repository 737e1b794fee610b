//! The handle that tests and the binary hold: starts the listeners and the producer, moves time, breaks things.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use chain::TronAddress;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::chain::{ActivePermission, ForkKeep};
use crate::config::DevnetConfig;
use crate::error::DevnetError;
use crate::faults::FaultRule;
use crate::node::Node;
use crate::state::Resource;
use crate::{admin, api};

/// A running network. Clones are handles to the same one; it stops with [`Devnet::stop`] or with the last handle.
#[derive(Debug, Clone)]
pub struct Devnet {
    running: Arc<Running>,
}

#[derive(Debug)]
struct Running {
    node: Arc<Node>,
    node_address: SocketAddr,
    admin_address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Devnet {
    /// Binds both listeners and starts.
    ///
    /// # Errors
    /// [`DevnetError::Listen`] when an address is taken.
    pub async fn start(config: DevnetConfig) -> Result<Self, DevnetError> {
        let node_listener = bind(config.listen).await?;
        let admin_listener = bind(config.admin_listen).await?;
        let node_address = address_of(&node_listener, config.listen)?;
        let admin_address = address_of(&admin_listener, config.admin_listen)?;
        let node = Arc::new(Node::new(config));
        let (stop, stopped) = watch::channel(false);
        let producer = {
            let (node, stopped) = (node.clone(), stopped.clone());
            tokio::spawn(async move { node.produce(stopped).await })
        };
        let tasks = vec![
            producer,
            tokio::spawn(serve(node_listener, api::router(node.clone()), stopped.clone())),
            tokio::spawn(serve(admin_listener, admin::router(node.clone()), stopped)),
        ];
        Ok(Self {
            running: Arc::new(Running {
                node,
                node_address,
                admin_address,
                stop,
                tasks,
            }),
        })
    }

    /// Base URL of the node's API, without a slash at the end.
    #[must_use]
    pub fn node_url(&self) -> String {
        format!("http://{}", self.running.node_address)
    }

    /// Base URL of the admin API.
    #[must_use]
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.running.admin_address)
    }

    /// Stops listening and making blocks. Open connections end with their current answer.
    pub fn stop(&self) {
        // An error means that every task has ended already.
        let _ended = self.running.stop.send(true);
    }

    /// Makes `count` blocks with what is pending.
    ///
    /// # Errors
    /// [`DevnetError::Invalid`] for too many at once.
    pub fn mine(&self, count: u64) -> Result<(), DevnetError> {
        self.running.node.chain().mine(count)
    }

    /// Lets the next block's timestamp jump by `seconds`.
    ///
    /// # Errors
    /// [`DevnetError::Invalid`] beyond ten years.
    pub fn advance(&self, seconds: u64) -> Result<(), DevnetError> {
        self.running.node.advance(seconds)
    }

    /// Gives an account TRX out of nothing, activating it.
    ///
    /// # Errors
    /// [`DevnetError::Invalid`] for an amount that is not positive or beyond all TRX.
    pub fn faucet(&self, address: TronAddress, sun: i64) -> Result<(), DevnetError> {
        self.running.node.credit(address, sun)
    }

    /// Gives an address USDT out of nothing, without a Transfer event.
    ///
    /// # Errors
    /// [`DevnetError::Invalid`] for an amount that is not positive.
    pub fn faucet_usdt(&self, address: TronAddress, micro: i64) -> Result<(), DevnetError> {
        self.running.node.mint(address, micro)
    }

    /// Gives an account stake for energy out of nothing.
    ///
    /// # Errors
    /// [`DevnetError::Invalid`] for an amount that is not positive.
    pub fn stake_energy(&self, address: TronAddress, sun: i64) -> Result<(), DevnetError> {
        self.running.node.stake(address, Resource::Energy, sun)
    }

    /// Gives an account stake for bandwidth out of nothing.
    ///
    /// # Errors
    /// [`DevnetError::Invalid`] for an amount that is not positive.
    pub fn stake_bandwidth(&self, address: TronAddress, sun: i64) -> Result<(), DevnetError> {
        self.running.node.stake(address, Resource::Bandwidth, sun)
    }

    /// Replaces an account's active permissions.
    ///
    /// # Errors
    /// [`DevnetError::Invalid`] for permissions that the network would not have.
    pub fn set_permissions(&self, address: TronAddress, actives: &[ActivePermission]) -> Result<(), DevnetError> {
        self.running.node.set_permissions(address, actives)
    }

    /// Replaces the newest `depth` blocks by a branch that is longer by one.
    ///
    /// # Errors
    /// [`DevnetError::Invalid`] for a depth that reaches a solidified block.
    pub fn fork(&self, depth: u64, keep: &ForkKeep) -> Result<(), DevnetError> {
        self.running.node.chain().fork(depth, keep).map(|_| ())
    }

    /// Adds a fault.
    ///
    /// # Errors
    /// [`DevnetError::Invalid`] for figures out of bounds, or too many rules.
    pub fn add_fault(&self, rule: FaultRule) -> Result<(), DevnetError> {
        self.running.node.board().faults.add(rule)
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.running.node.board().faults.clear();
    }

    /// How often a path, such as `/wallet/broadcasthex`, was called.
    #[must_use]
    pub fn calls(&self, path: &str) -> u64 {
        self.running.node.board().calls.get(path).copied().unwrap_or_default()
    }

    /// How often the node's API was called at all.
    #[must_use]
    pub fn total_calls(&self) -> u64 {
        self.running.node.board().calls.values().sum()
    }

    /// Stops or resumes making blocks on their own.
    pub fn pause_mining(&self, paused: bool) {
        self.running.node.chain().pause(paused);
        self.running.node.wake();
    }

    /// Stops solidification, or lets it catch up with the next block.
    pub fn stall_solid(&self, stalled: bool) {
        self.running.node.chain().stall_solid(stalled);
    }

    /// Number of the newest block.
    #[must_use]
    pub fn head(&self) -> i64 {
        self.running.node.chain().head()
    }

    /// Timestamp of the newest block, milliseconds.
    #[must_use]
    pub fn head_ms(&self) -> i64 {
        self.running.node.chain().head_ms()
    }

    /// Number of the newest block that cannot be reverted.
    #[must_use]
    pub fn solid(&self) -> i64 {
        self.running.node.chain().solid()
    }

    /// Starts over with an empty chain, no faults and no counts.
    pub fn reset(&self) {
        self.running.node.reset();
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, DevnetError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| DevnetError::Listen { address, source })
}

fn address_of(listener: &TcpListener, address: SocketAddr) -> Result<SocketAddr, DevnetError> {
    listener
        .local_addr()
        .map_err(|source| DevnetError::Listen { address, source })
}

async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let ended = axum::serve(listener, router).with_graceful_shutdown(async move {
        // An error means that the handle is gone: stop as well.
        let _gone = stop.changed().await;
    });
    if let Err(error) = ended.await {
        tracing::error!(%error, "a listener ended");
    }
}

//! What happens to our wallets behind our back: somebody else holds the key, too.

use ::chain::{Broadcast, ChainClient, TronAddress};
use tron::proto::ResourceCode;
use tron::{BlockReference, ContractBody, UnsignedTx, sign_transaction};

use super::{Rig, Supplier};

impl Rig {
    /// The owner unstakes by another program.
    pub(crate) async fn unstake_outside(&self, wallet: &Supplier, amount_sun: i64) {
        let contract = ContractBody::UnfreezeBalance {
            owner: wallet.address,
            amount_sun,
            resource: ResourceCode::Energy,
        };
        self.send_outside(wallet, contract).await;
    }

    /// The owner lends stake to somebody by another program.
    pub(crate) async fn lend_outside(&self, wallet: &Supplier, receiver: TronAddress, balance_sun: i64) {
        let contract = ContractBody::Delegate {
            owner: wallet.address,
            receiver,
            balance_sun,
            resource: ResourceCode::Energy,
            lock: false,
            lock_period_blocks: 0,
        };
        self.send_outside(wallet, contract).await;
    }

    /// The owner takes lent stake back by another program.
    pub(crate) async fn take_back_outside(&self, wallet: &Supplier, receiver: TronAddress, balance_sun: i64) {
        let contract = ContractBody::UnDelegate {
            owner: wallet.address,
            receiver,
            balance_sun,
            resource: ResourceCode::Energy,
        };
        self.send_outside(wallet, contract).await;
    }

    /// The owner sends a sun to somebody by another program, and spends bandwidth on it.
    pub(crate) async fn pay_outside(&self, wallet: &Supplier, to: TronAddress) {
        let contract = ContractBody::Transfer {
            owner: wallet.address,
            to,
            amount_sun: 1,
        };
        self.send_outside(wallet, contract).await;
    }

    async fn send_outside(&self, wallet: &Supplier, contract: ContractBody) {
        let node = self.node();
        let unsigned = UnsignedTx {
            contract,
            reference: BlockReference::of(&node.solid_head().await.unwrap()).unwrap(),
            timestamp_ms: self.devnet.head_ms(),
            expiration_ms: self.devnet.head_ms() + 60_000,
            fee_limit_sun: 0,
            memo: Vec::new(),
            permission_id: 0,
        };
        let signed = sign_transaction(unsigned.encode(), &wallet.key);
        self.note_foreign(signed.txid.to_string());
        assert_eq!(node.broadcast(&signed.bytes).await, Broadcast::Accepted);
        self.mine(1);
        self.idle().await;
    }
}

//! The kinds of jobs and the queues they wait in. Their words are stored: they never change.

use std::cmp::Ordering;

db::text_enum! {
    /// What is to be done. The object id of a job says to what.
    JobKind {
        /// Gives an order its energy. Object: the order.
        OrdersDelegate = "orders.delegate",
        /// Cancels the orders whose deadline has passed. Object: `all`.
        OrdersCancelExpired = "orders.cancel_expired",
        /// Looks whether an address that is kept has its energy. Object: the standing order.
        OrdersKeep = "orders.keep",
        /// Credits what came in and is final. Object: the network.
        DepositsCredit = "deposits.credit",
        /// Looks for a transaction that somebody says he paid with. Object: `<network>:<txid>`.
        DepositsConfirm = "deposits.confirm",
        /// Places the order that a paid deposit is to buy. Object: the deposit.
        DepositsPlaceOrder = "deposits.place_order",
        /// Sees to coin that was sent to buy energy. Object: the transfer.
        DepositsRent = "deposits.rent",
        /// Exchanges USDT that was paid in while there was no rate. Object: `all`.
        DepositsExchange = "deposits.exchange",
        /// Asks the sources what TRX a USDT is worth. Object: `all`.
        RatesRead = "rates.read",
        /// Looks for deposit addresses that are worth collecting. Object: the network.
        DepositsPlanSweeps = "deposits.plan_sweeps",
        /// Collects what lies at a deposit address. Object: the sweep.
        DepositsSweep = "deposits.sweep",
        /// Takes the energy of an ended rental back. Object: the delegation.
        DelegationsReclaim = "delegations.reclaim",
        /// Pays a payout. Object: the payout.
        PayoutsSend = "payouts.send",
        /// Gives back the payouts that nobody has decided about in time. Object: `all`.
        PayoutsExpire = "payouts.expire",
        /// Sends again what no block has shown yet. Object: the network.
        ChainResendTransactions = "chain.resend_transactions",
        /// Settles what has become final. Object: the network.
        ChainSettleFinal = "chain.settle_final",
        /// Reads a supplier wallet from the chain. Object: the wallet.
        WalletsSync = "wallets.sync",
        /// Moves a sealed key into the vault. Object: the import.
        WalletsImport = "wallets.import",
        /// Stakes coin of a supplier wallet, or undoes that. Object: the staking.
        WalletsStake = "wallets.stake",
        /// Looks whether a supplier wallet is to be staked by the policy. Object: the wallet, or the network for all of them.
        WalletsPlanStakes = "wallets.plan_stakes",
        /// Compares the stock of energy with what is asked for. Object: the network.
        WalletsCheckStock = "wallets.check_stock",
        /// Sends the messages that are due to an endpoint. Object: the endpoint.
        NotifyDeliverWebhook = "notify.deliver_webhook",
        /// Proves the books and the chain against one another. Object: the name of the proof.
        OperationsReconcile = "operations.reconcile",
        /// Seals the lines of the audit trail. Object: `all`.
        AuditSeal = "audit.seal",
        /// Removes what nobody needs any more. Object: `all`.
        OperationsPrune = "operations.prune",
    }
}

impl PartialOrd for JobKind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for JobKind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.word().cmp(other.word())
    }
}

db::text_enum! {
    /// Where jobs wait; a worker serves some queues, each with its own concurrency.
    Queue {
        /// Orders of customers.
        Orders = "orders",
        /// Reclaims.
        Delegations = "delegations",
        /// Sending and settling.
        Chain = "chain",
        /// Payouts.
        Payouts = "payouts",
        /// Money that comes in.
        Deposits = "deposits",
        /// Supplier wallets.
        Wallets = "wallets",
        /// Messages to receivers outside.
        Notify = "notify",
        /// Reconciliation and housekeeping.
        Reports = "reports",
    }
}

impl Queue {
    /// The switch that pauses it: while that is on, none of its jobs begins.
    #[must_use]
    pub fn pause_switch(self) -> String {
        format!("queue_{}", self.word())
    }

    /// The kinds that wait in this queue.
    pub fn kinds(self) -> impl Iterator<Item = JobKind> {
        JobKind::ALL
            .iter()
            .copied()
            .filter(move |kind| kind.policy().queue == self)
    }
}

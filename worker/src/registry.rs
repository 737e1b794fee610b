//! The one alphabetical list: which handler does which kind of job.

use std::sync::Arc;

use jobs::JobKind;

use crate::environment::Environment;
use crate::jobs::{
    CancelExpiredOrders, CheckStock, ConfirmDeposit, CreditDeposits, DelegateOrder, DeliverWebhook, ExchangeDeposits,
    ExpirePayouts, ImportWallet, KeepEnergy, PlacePaidOrder, PlanStakes, PlanSweeps, Prune, ReadRates,
    ReclaimDelegation, Reconcile, RentEnergy, ResendTransactions, SealAudit, SendPayout, SettleFinal, StakeWallet,
    SweepDeposits, SyncWallet,
};
use crate::queue::{Handler, Registry};
use crate::sender::Sender;

/// Every handler. Called on the runtime that the jobs run on.
#[must_use]
pub fn registry(env: &Arc<Environment>) -> Registry {
    let sender = Arc::new(Sender::new(Arc::clone(env)));
    let sender = || Arc::clone(&sender);
    let env = || Arc::clone(env);
    let handlers: [(JobKind, Arc<dyn Handler>); 25] = [
        (JobKind::AuditSeal, Arc::new(SealAudit::new(env()))),
        (
            JobKind::ChainResendTransactions,
            Arc::new(ResendTransactions(env(), sender())),
        ),
        (JobKind::ChainSettleFinal, Arc::new(SettleFinal(env()))),
        (
            JobKind::DelegationsReclaim,
            Arc::new(ReclaimDelegation::new(env(), sender())),
        ),
        (JobKind::DepositsConfirm, Arc::new(ConfirmDeposit(env()))),
        (JobKind::DepositsCredit, Arc::new(CreditDeposits(env()))),
        (JobKind::DepositsExchange, Arc::new(ExchangeDeposits(env()))),
        (JobKind::DepositsPlaceOrder, Arc::new(PlacePaidOrder(env()))),
        (JobKind::DepositsPlanSweeps, Arc::new(PlanSweeps(env()))),
        (JobKind::PayoutsExpire, Arc::new(ExpirePayouts(env()))),
        (JobKind::DepositsRent, Arc::new(RentEnergy(env()))),
        (JobKind::DepositsSweep, Arc::new(SweepDeposits(env(), sender()))),
        (JobKind::NotifyDeliverWebhook, Arc::new(DeliverWebhook(env()))),
        (JobKind::OperationsPrune, Arc::new(Prune(env()))),
        (JobKind::OperationsReconcile, Arc::new(Reconcile(env()))),
        (JobKind::OrdersCancelExpired, Arc::new(CancelExpiredOrders(env()))),
        (JobKind::OrdersDelegate, Arc::new(DelegateOrder::new(env(), sender()))),
        (JobKind::OrdersKeep, Arc::new(KeepEnergy(env()))),
        (JobKind::PayoutsSend, Arc::new(SendPayout(env(), sender()))),
        (JobKind::RatesRead, Arc::new(ReadRates(env()))),
        (JobKind::WalletsCheckStock, Arc::new(CheckStock(env()))),
        (JobKind::WalletsImport, Arc::new(ImportWallet(env()))),
        (JobKind::WalletsPlanStakes, Arc::new(PlanStakes(env()))),
        (JobKind::WalletsStake, Arc::new(StakeWallet(env(), sender()))),
        (JobKind::WalletsSync, Arc::new(SyncWallet(env()))),
    ];
    handlers.into_iter().collect()
}

//! One handler per file. Each loads its row, returns if there is nothing to do, acts, and guards its effect.

mod cancel_expired_orders;
mod check_stock;
mod compare_holdings;
mod compare_lent;
mod confirm_deposit;
mod credit_deposits;
mod delegate_order;
mod deliver_webhook;
mod exchange_deposits;
mod expire_payouts;
mod import_wallet;
mod keep_energy;
mod place_paid_order;
mod plan_stakes;
mod plan_sweeps;
mod prune;
mod read_rates;
mod reclaim_delegation;
mod reconcile;
mod rent_energy;
mod resend_transactions;
mod seal_audit;
mod send_payout;
mod settle_final;
mod stake_wallet;
mod sweep_deposits;
mod sync_wallet;

pub(crate) use cancel_expired_orders::CancelExpiredOrders;
pub(crate) use check_stock::CheckStock;
pub(crate) use confirm_deposit::ConfirmDeposit;
pub(crate) use credit_deposits::CreditDeposits;
pub(crate) use delegate_order::DelegateOrder;
pub(crate) use deliver_webhook::DeliverWebhook;
pub(crate) use exchange_deposits::ExchangeDeposits;
pub(crate) use expire_payouts::ExpirePayouts;
pub(crate) use import_wallet::ImportWallet;
pub(crate) use keep_energy::KeepEnergy;
pub(crate) use place_paid_order::PlacePaidOrder;
pub(crate) use plan_stakes::PlanStakes;
pub(crate) use plan_sweeps::PlanSweeps;
pub(crate) use prune::Prune;
pub(crate) use read_rates::ReadRates;
pub(crate) use reclaim_delegation::ReclaimDelegation;
pub(crate) use reconcile::{HOLDINGS, LENT, Reconcile};
pub(crate) use rent_energy::RentEnergy;
pub(crate) use resend_transactions::ResendTransactions;
pub(crate) use seal_audit::SealAudit;
pub(crate) use send_payout::SendPayout;
pub(crate) use settle_final::SettleFinal;
pub(crate) use stake_wallet::StakeWallet;
pub(crate) use sweep_deposits::SweepDeposits;
pub(crate) use sync_wallet::{ALL as ALL_WALLETS, SyncWallet};

use std::str::FromStr;

use ::jobs::RunningJob;

use crate::error::WorkError;

/// The id that a job is about.
fn object<T: FromStr>(job: &RunningJob) -> Result<T, WorkError> {
    job.object_id
        .parse()
        .map_err(|_| WorkError::Broken(format!("{:?} is no id of a {}", job.object_id, job.kind)))
}

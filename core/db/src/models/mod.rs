//! One file per table: the row, what is inserted, and the queries.

mod adoption;
mod api_key;
mod approval;
mod audit_line;
mod block;
mod chain_cursor;
mod chain_transaction;
mod delegation;
mod deposit;
mod deposit_address;
mod deposit_key;
mod deposit_order;
mod deposit_wallet;
mod event;
mod exchange;
mod finding;
mod idempotency;
mod incoming_transfer;
mod key_holder;
mod key_replacement;
mod key_spending;
mod list;
mod operator;
mod operator_action;
mod operator_maker;
mod operator_session;
mod order;
mod order_event;
mod order_extension;
mod order_terms;
mod payout;
mod payout_address;
mod payout_event;
mod price;
mod price_preview;
mod price_quote;
mod rate;
mod receiver_check;
mod rental;
mod role;
mod setting_version;
mod staking;
mod staking_event;
mod standing_order;
mod stock_hold;
mod supplier_wallet;
mod sweep;
mod sweep_event;
mod switch;
mod transfer_proposal;
mod treasury;
mod user;
mod wallet_baseline;
mod wallet_comparison;
mod wallet_key;
mod wallet_permission;
mod wallet_snapshot;
mod webhook_delivery;
mod webhook_endpoint;
mod webhook_secret;

pub use api_key::{ApiKey, FormerSecret, NewApiKey};
pub use approval::{Approval, ApprovalEnd, ApprovalFilter, ApprovalKind, ApprovalState, NewApproval};
pub use audit_line::{AuditFilter, AuditLine, NewAuditLine, SealedLine, SealedNow, Unsealed};
pub use block::BlockRow;
pub use chain_cursor::ChainCursor;
pub use chain_transaction::{
    ChainTransaction, DeathCause, Inclusion, IntentKind, NewChainTransaction, Outcome, Spent, TxState,
};
pub use delegation::{Activation, Delegation, DelegationState, NewDelegation};
pub use deposit::{Deposit, DepositFilter, DepositState, DepositWay, Receipt};
pub use deposit_address::{AddressKind, DepositAddress};
pub use deposit_key::DepositAccountKey;
pub use deposit_order::{DepositOrder, DepositOrderState};
pub use deposit_wallet::DerivedFrom;
pub use event::{EmitRows, Event, EventFilter, EventPlace, EventType, NewEventRow};
pub use exchange::{Exchange, ExchangeCause, ExchangeFilter, ExchangeState, Exchanged, PendingExchanges};
pub use finding::{Finding, FindingFilter, NewFinding, Severity};
pub use idempotency::{IdempotencyKey, NewIdempotencyKey};
pub use incoming_transfer::{
    Decision, IncomingTransfer, NewIncomingTransfer, TransferFilter, TransferKind, TransferState,
};
pub use key_holder::KeyHolder;
pub use key_replacement::{KeyReplacement, NewKeyReplacement, ReplacementState};
pub use key_spending::KeySpending;
pub use list::Span;
pub use operator::{Credentials, Operator, SignInMarks};
pub use operator_action::{Action, ActionFilter, NewOperatorAction, OperatorAction};
pub use operator_maker::OperatorMaker;
pub use operator_session::OperatorSession;
pub use order::{Completion, NewOrder, Order, OrderFilter, OrderState, ToDeliver};
pub use order_event::{NewOrderEvent, OrderEvent};
pub use order_extension::OrderExtension;
pub use order_terms::OrderTerms;
pub use payout::{NewPayout, Payout, PayoutFilter, PayoutState};
pub use payout_address::PayoutAddress;
pub use payout_event::{NewPayoutEvent, PayoutEvent};
pub use price::{PriceBand, PriceVersion};
pub use price_preview::PreviewRow;
pub use price_quote::PriceQuote;
pub use rate::{Rate, RateKind, RateRefusal};
pub use receiver_check::{ReceiverCheck, Verdict};
pub use rental::{Rental, RentalFilter, RentalMove, RentalState};
pub use role::Role;
pub use setting_version::SettingVersion;
pub use staking::{
    NewStaking, StakeResource, Staking, StakingAction, StakingFilter, StakingSource, StakingState, lending_ids,
};
pub use staking_event::{NewStakingEvent, StakingEvent};
pub use standing_order::{StandingFigures, StandingOrder, StandingState};
pub use stock_hold::{HeldForOrder, StockHold};
pub use supplier_wallet::{
    Failures, Lending, NewSupplierWallet, PoolFigures, Promised, SupplierWallet, UnfreezingRow, WalletFigures,
    WalletFilter, WalletState,
};
pub use sweep::{Collected, NewSweep, Sweep, SweepCandidate, SweepFilter, SweepState};
pub use sweep_event::{NewSweepEvent, SweepEvent};
pub use switch::Switch;
pub use transfer_proposal::{ProposalState, TransferProposal};
pub use treasury::{ACTIVATION_FEE_SUN, TreasuryWish, WalletPurpose, lock_treasury, receiving_treasury, treasury_ids};
pub use user::{User, UserWallet};
pub use wallet_baseline::WalletBaseline;
pub use wallet_comparison::DueComparison;
pub use wallet_key::{MasterKeyRow, WalletImport, WalletKey};
pub use wallet_permission::WalletPermission;
pub use wallet_snapshot::WalletSnapshotRow;
pub use webhook_delivery::{
    Attempt, AttemptOutcome, DeliveryFilter, DeliveryState, DueDelivery, WebhookAttempt, WebhookDelivery,
};
pub use webhook_endpoint::{EndpointChange, EndpointFigures, NewWebhookEndpoint, WebhookEndpoint};
pub use webhook_secret::{NewWebhookSecret, WebhookSecretRow};

//! The code table, and that a class decides the status.

use db::models::OrderState;
use domain::DomainError;
use kernel::{Amount, OrderId};
use ledger::LedgerError;

use super::*;

#[test]
fn the_table() {
    let table: Vec<String> = Code::ALL
        .iter()
        .map(|code| {
            let status = code.status().as_u16();
            format!("{status} {} | {} | {}", code.word(), code.title(), code.title_zh())
        })
        .collect();
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn words_are_unique_and_titles_given_in_both_languages() {
    let mut words: Vec<&str> = Code::ALL.iter().map(|code| code.word()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Code::ALL.len());
    for code in Code::ALL {
        assert!(code.title().is_ascii() && !code.title().is_empty(), "{code:?}");
        assert!(!code.title_zh().is_ascii(), "{code:?}");
    }
}

#[test]
fn domain_errors_keep_their_code_and_their_class_decides_the_status() {
    let order = OrderId(uuid::Uuid::nil());
    let reused = LedgerError::ReferenceReused { reference: "x".into() };
    let short = DomainError::InsufficientFunds { needed: Amount::ZERO };
    let cases = [
        (DomainError::NotFound("order"), "not_found", 404),
        (DomainError::IdempotencyMismatch, "idempotency_key_reused", 409),
        (
            DomainError::NotCancellable(OrderState::Completed),
            "order_not_cancellable",
            409,
        ),
        (short, "insufficient_funds", 409),
        (DomainError::BalanceTooLarge, "balance_too_large", 409),
        (DomainError::WalletNotActive, "wallet_not_active", 409),
        (DomainError::UserBlocked, "user_blocked", 403),
        (
            DomainError::MayNotSee(access::Permission::OrdersRead),
            "insufficient_scope",
            403,
        ),
        (DomainError::Maintenance, "maintenance", 503),
        (
            DomainError::EnergyOutOfRange { min: 1, max: 2 },
            "energy_out_of_range",
            422,
        ),
        (
            DomainError::DurationOutOfRange { min: 1, max: 2 },
            "duration_out_of_range",
            422,
        ),
        (DomainError::NoPrice, "no_price", 422),
        (DomainError::ReceiverIsSupplier, "receiver_is_supplier", 422),
        (DomainError::BadText("x"), "bad_text", 422),
        (DomainError::BadReason, "bad_text", 422),
        (DomainError::BadStanding, "invalid_body", 422),
        (DomainError::AlreadyResolved, "conflict", 409),
        (DomainError::Ledger(LedgerError::ZeroAmount), "amount_zero", 422),
        (DomainError::Ledger(reused), "idempotency_key_reused", 409),
        (DomainError::Ledger(LedgerError::OrderEnded(order)), "conflict", 409),
        (DomainError::Ledger(LedgerError::NotHeld(order)), "internal", 500),
        (DomainError::Db(db::DbError::Pool("no".into())), "unavailable", 503),
        (DomainError::Db(db::DbError::Migration("no".into())), "internal", 500),
        (DomainError::Broken("no".into()), "internal", 500),
    ];
    for (error, word, status) in cases {
        let code = Code::of_domain(&error);
        assert_eq!((code.word(), code.status().as_u16()), (word, status), "{error}");
    }
}

#[test]
fn a_failure_of_ours_tells_the_client_nothing_of_its_cause() {
    let problem = Problem::from(DomainError::Broken("order 7 has two holds".into()));
    assert_eq!(problem.cause(), Some("broken invariant: order 7 has two holds"));
    assert!(problem.detail.is_none() && problem.errors.is_empty());
}

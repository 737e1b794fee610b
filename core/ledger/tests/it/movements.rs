//! Each movement: its legs, its replay, and what it refuses.

use kernel::{Amount, Asset, ErrorClass, OrderId, UserId};
use ledger::movements::{
    DepositCredit, Direction, OnChain, cancel_many_in_tx, credit_deposits_in_tx, reverse_deposit_in_tx,
};
use ledger::{LedgerError, Posted};
use switchyard_ledger as ledger;

use crate::support::{Books, adjustment, amount, at, user_trx};

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_moves_the_price_into_escrow_once() {
    let books = Books::new().await;
    let order = books.order().await;
    books.fund(1, 100).await;
    assert_eq!(books.hold(order, 1, 30).await.unwrap(), Posted::New);
    assert_eq!(books.hold(order, 1, 30).await.unwrap(), Posted::Already);
    assert_eq!(books.trx(1).await, 70);
    assert_eq!(books.houses().await, [30, 0, -100]);
    let other = books.hold(order, 1, 31).await.unwrap_err();
    assert!(matches!(other, LedgerError::EventReused { .. }), "{other:?}");
    assert_eq!(books.trx(1).await, 70);
    books.assert_proven().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_beyond_the_balance_is_refused_and_leaves_nothing() {
    let books = Books::new().await;
    let orders = books.orders(2).await;
    books.fund(1, 100).await;
    let refused = books.hold(orders[0], 1, 101).await.unwrap_err();
    assert_eq!(refused.class(), ErrorClass::Conflict);
    let LedgerError::InsufficientFunds { account, needed } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((account, needed.minor()), (user_trx(1), 101));
    // a user without any account yet
    let refused = books.hold(orders[1], 2, 1).await.unwrap_err();
    assert!(matches!(refused, LedgerError::InsufficientFunds { .. }), "{refused:?}");
    assert_eq!((books.transfers().await, books.trx(1).await), (1, 100));
    assert_eq!(books.hold(orders[0], 1, 100).await.unwrap(), Posted::New);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settled_order_is_earned_and_never_paid_back() {
    let books = Books::new().await;
    let order = books.order().await;
    books.fund(1, 100).await;
    books.hold(order, 1, 30).await.unwrap();
    assert_eq!(books.settle(order).await.unwrap(), Posted::New);
    assert_eq!(books.settle(order).await.unwrap(), Posted::Already);
    assert_eq!(books.houses().await, [0, 30, -100]);
    for refused in [books.refund(order).await, books.cancel(order).await] {
        let refused = refused.unwrap_err();
        assert!(
            matches!(refused, LedgerError::OrderEnded(id) if id == order),
            "{refused:?}"
        );
    }
    assert_eq!((books.trx(1).await, books.houses().await), (70, [0, 30, -100]));
    books.assert_proven().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_gives_back_exactly_what_was_held() {
    let books = Books::new().await;
    let order = books.order().await;
    books.fund(1, 100).await;
    books.hold(order, 1, 30).await.unwrap();
    assert_eq!(books.refund(order).await.unwrap(), Posted::New);
    assert_eq!(books.refund(order).await.unwrap(), Posted::Already);
    assert_eq!((books.trx(1).await, books.houses().await), (100, [0, 0, -100]));
    for refused in [books.settle(order).await, books.cancel(order).await] {
        assert!(matches!(refused, Err(LedgerError::OrderEnded(id)) if id == order));
    }
    books.assert_proven().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_gives_back_exactly_what_was_held() {
    let books = Books::new().await;
    let order = books.order().await;
    books.fund(1, 100).await;
    books.hold(order, 1, 30).await.unwrap();
    assert_eq!(books.cancel(order).await.unwrap(), Posted::New);
    assert_eq!(books.cancel(order).await.unwrap(), Posted::Already);
    assert_eq!((books.trx(1).await, books.houses().await), (100, [0, 0, -100]));
    assert!(matches!(books.refund(order).await, Err(LedgerError::OrderEnded(_))));
    let actor = "SELECT count(*) FROM ledger_transfers WHERE reason = 'order_cancel' AND actor = 'api_key:bot'";
    assert_eq!(books.number(actor).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_held_cannot_end() {
    let books = Books::new().await;
    let orders = books.orders(2).await;
    books.fund(1, 100).await;
    books.hold(orders[0], 1, 30).await.unwrap();
    for refused in [
        books.settle(orders[1]).await,
        books.refund(orders[1]).await,
        books.cancel(orders[1]).await,
        books.settle_many(&orders).await.map(|_| Posted::New),
    ] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.class(), ErrorClass::Bug);
        assert!(
            matches!(refused, LedgerError::NotHeld(id) if id == orders[1]),
            "{refused:?}"
        );
    }
    assert_eq!(books.houses().await, [30, 0, -100]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_orders_settle_at_once_all_or_none() {
    let books = Books::new().await;
    let orders = books.orders(1_203).await;
    books.fund(1, 10_000).await;
    let (last, first) = orders.split_last().unwrap();
    for order in &orders {
        books.hold(*order, 1, 2).await.unwrap();
    }
    assert_eq!(books.settle_many(&first[..300]).await.unwrap(), 300);
    books.refund(*last).await.unwrap();
    let refused = books.settle_many(&orders).await.unwrap_err();
    assert!(
        matches!(refused, LedgerError::OrderEnded(id) if id == *last),
        "{refused:?}"
    );
    assert_eq!(books.houses().await[1], 600);
    // more than one statement holds, and every order named twice
    let twice: Vec<OrderId> = first.iter().chain(first).copied().collect();
    assert_eq!(books.settle_many(&twice).await.unwrap(), 902);
    assert_eq!(books.settle_many(&twice).await.unwrap(), 0);
    assert_eq!(books.settle_many(&[]).await.unwrap(), 0);
    assert_eq!(books.houses().await, [0, 2_404, -10_000]);
    books.assert_proven().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_orders_cancel_at_once_to_their_own_payers() {
    let books = Books::new().await;
    let orders = books.orders(3).await;
    for user in 1..=3 {
        books.fund(user, 100).await;
        books
            .hold(orders[usize::try_from(user).unwrap() - 1], user, user * 10)
            .await
            .unwrap();
    }
    let new = db::run_tx(&books.worker, "test", async |conn| {
        cancel_many_in_tx(conn, &orders, None, at()).await
    });
    assert_eq!(new.await.unwrap(), 3);
    assert_eq!(
        [books.trx(1).await, books.trx(2).await, books.trx(3).await],
        [100, 100, 100]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adjustment_moves_once_for_each_reference() {
    let books = Books::new().await;
    let credit = adjustment("r1", 1, Direction::Credit, 50);
    assert_eq!(books.adjust(&credit).await.unwrap(), Posted::New);
    let again = ledger::movements::Adjustment {
        actor: "operator:ben",
        at: at() + chrono::Duration::seconds(9),
        ..credit
    };
    assert_eq!(books.adjust(&again).await.unwrap(), Posted::Already);
    let debit = adjustment("r2", 1, Direction::Debit, 20);
    assert_eq!(books.adjust(&debit).await.unwrap(), Posted::New);
    assert_eq!((books.trx(1).await, books.houses().await), (30, [0, 0, -30]));
    let mut other = [credit; 4];
    other[0].note = "another note";
    other[1].direction = Direction::Debit;
    other[2].user = UserId(2);
    other[3].asset = Asset::Usdt;
    for other in other {
        let refused = books.adjust(&other).await.unwrap_err();
        assert_eq!(refused.class(), ErrorClass::Conflict);
        assert!(
            matches!(refused, LedgerError::ReferenceReused { .. }),
            "{other:?}: {refused:?}"
        );
    }
    assert_eq!((books.trx(1).await, books.transfers().await), (30, 2));
    books.assert_proven().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adjustment_says_what_is_wrong_with_it() {
    let books = Books::new().await;
    let good = adjustment("r", 1, Direction::Credit, 1);
    let long = "x".repeat(501);
    let mut bad = [good; 5];
    bad[0].amount = Amount::ZERO;
    bad[1].note = "";
    bad[2].note = &long;
    bad[3].reference = "a\0b";
    bad[4].reference = &long[..151];
    for bad in bad {
        assert_eq!(
            books.adjust(&bad).await.unwrap_err().class(),
            ErrorClass::Invalid,
            "{bad:?}"
        );
    }
    let mut nobody = good;
    nobody.user = UserId(99);
    let refused = books.adjust(&nobody).await.unwrap_err();
    assert!(matches!(refused, LedgerError::UnknownUser(UserId(99))), "{refused:?}");
    let refused = books
        .adjust(&adjustment("d", 1, Direction::Debit, 1))
        .await
        .unwrap_err();
    assert!(matches!(refused, LedgerError::InsufficientFunds { .. }), "{refused:?}");
    assert_eq!(books.transfers().await, 0);
}

/// So much TRX that came in on a chain for a user.
fn came_in(user: i64, log_index: i32, minor: i64) -> DepositCredit {
    DepositCredit {
        on_chain: OnChain {
            network: "nile".parse().unwrap(),
            txid: "ab".repeat(32),
            log_index,
        },
        user: UserId(user),
        asset: Asset::Trx,
        amount: amount(minor),
        actor: None,
        at: at(),
    }
}

async fn credit(books: &Books, all: &[DepositCredit]) -> Result<Vec<Posted>, LedgerError> {
    let credited = db::run_tx(&books.worker, "test", async |conn| {
        credit_deposits_in_tx(conn, all).await
    });
    credited.await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_in_is_credited_once_by_its_name_on_chain() {
    let books = Books::new().await;
    let both = [came_in(1, -1, 30), came_in(1, 0, 12)];
    assert_eq!(credit(&books, &both).await.unwrap(), [Posted::New; 2]);
    assert_eq!(credit(&books, &both).await.unwrap(), [Posted::Already; 2]);
    assert_eq!(credit(&books, &[]).await.unwrap(), []);
    assert_eq!((books.trx(1).await, books.transfers().await), (42, 2));
    for other in [came_in(2, -1, 30), came_in(1, -1, 31)] {
        let refused = credit(&books, &[other]).await.unwrap_err();
        assert!(matches!(refused, LedgerError::EventReused { .. }), "{refused:?}");
    }
    let event = format!("deposit:nile:{}:-1:credit", "ab".repeat(32));
    let from = "house:deposits:nile:TRX";
    let found = format!("SELECT count(*) FROM ledger_transfers WHERE event = '{event}' AND debit_account = '{from}'");
    assert_eq!(books.number(&found).await, 1);
    books.assert_proven().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_is_taken_back_once_and_only_if_it_is_not_spent() {
    let books = Books::new().await;
    let one = came_in(1, -1, 30);
    credit(&books, std::slice::from_ref(&one)).await.unwrap();
    let reverse = async |credit: &DepositCredit| {
        let reversed = db::run_tx(&books.worker, "test", async |conn| {
            reverse_deposit_in_tx(conn, credit, "not his").await
        });
        reversed.await
    };
    let other = came_in(2, 0, 5);
    credit(&books, std::slice::from_ref(&other)).await.unwrap();
    books
        .adjust(&adjustment("spent", 2, Direction::Debit, 1))
        .await
        .unwrap();
    let refused = reverse(&other).await.unwrap_err();
    assert!(matches!(refused, LedgerError::InsufficientFunds { .. }), "{refused:?}");
    assert_eq!(reverse(&one).await.unwrap(), Posted::New);
    assert_eq!(reverse(&one).await.unwrap(), Posted::Already);
    assert_eq!((books.trx(1).await, books.trx(2).await), (0, 4));
    books.assert_proven().await;
}

//! Posting itself: round trips, batches, reused events, locks.

use std::sync::OnceLock;

use db::run_tx;
use diesel_async::RunQueryDsl;
use kernel::{Asset, ErrorClass, UserId};
use ledger::movements::Direction;
use ledger::{Account, LedgerError, Posted, Reason, Transfer, post_in_tx, post_many_in_tx};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use switchyard_ledger as ledger;

use crate::support::{Books, adjustment, amount, at, hold, user_trx};

fn gift(event: &str, user: i64, minor: i64) -> Transfer {
    Transfer {
        event: event.to_owned(),
        debit: Account::Adjustments(Asset::Trx),
        credit: user_trx(user),
        amount: amount(minor),
        reason: Reason::OperatorAdjustment,
        order: None,
        payout: None,
        actor: None,
        note: None,
        at: at(),
    }
}

async fn post(books: &Books, transfers: &[Transfer]) -> Result<Vec<Posted>, LedgerError> {
    run_tx(&books.api, "test", async |conn| post_many_in_tx(conn, transfers).await).await
}

fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| PrometheusBuilder::new().install_recorder().unwrap())
}

fn reused_total() -> u64 {
    let text = metrics().render();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("switchyard_ledger_event_reused_total "));
    line.map_or(0, |value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_with_other_contents_is_refused_and_counted() {
    metrics();
    let books = Books::new().await;
    post(&books, &[gift("gift:1", 1, 5)]).await.unwrap();
    let before = reused_total();
    let mut others = vec![gift("gift:1", 1, 6), gift("gift:1", 2, 5)];
    others.push(Transfer {
        note: Some("other".into()),
        ..gift("gift:1", 1, 5)
    });
    others.push(Transfer {
        debit: Account::Exchange(Asset::Trx),
        ..gift("gift:1", 1, 5)
    });
    let tried = u64::try_from(others.len()).unwrap();
    for other in others {
        let refused = post(&books, &[other]).await.unwrap_err();
        assert_eq!(refused.class(), ErrorClass::Bug);
        assert!(matches!(refused, LedgerError::EventReused { event } if event == "gift:1"));
    }
    assert!(reused_total() >= before + tried, "each is counted");
    assert_eq!((books.trx(1).await, books.transfers().await), (5, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_answers_for_each_in_the_order_given() {
    let books = Books::new().await;
    post(&books, &[gift("gift:b", 2, 5)]).await.unwrap();
    let batch = [
        gift("gift:c", 9, 1),
        gift("gift:b", 2, 5),
        gift("gift:a", 1, 2),
        gift("gift:c", 9, 1),
    ];
    let posted = post(&books, &batch).await.unwrap();
    assert_eq!(posted, [Posted::New, Posted::Already, Posted::New, Posted::Already]);
    assert_eq!([books.trx(1).await, books.trx(2).await, books.trx(9).await], [2, 5, 1]);
    // one event with two contents in a single batch moves nothing
    let clash = [gift("gift:d", 1, 1), gift("gift:d", 1, 2)];
    assert!(matches!(
        post(&books, &clash).await,
        Err(LedgerError::EventReused { .. })
    ));
    assert_eq!((books.trx(1).await, books.transfers().await), (2, 3));
    // the overdrawn one of many is named
    let take = |event: &str, user, minor| Transfer {
        debit: user_trx(user),
        credit: Account::Adjustments(Asset::Trx),
        ..gift(event, user, minor)
    };
    let refused = post(&books, &[take("take:1", 1, 1), take("take:2", 2, 6)])
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, LedgerError::InsufficientFunds { account, .. } if *account == user_trx(2)),
        "{refused:?}"
    );
    books.assert_proven().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_transfers_do_not_reach_the_database() {
    let books = Books::new().await;
    let order = books.order().await;
    let bad = [
        Transfer {
            debit: Account::Adjustments(Asset::Usdt),
            ..gift("gift:x", 1, 1)
        },
        Transfer {
            debit: user_trx(1),
            ..gift("gift:x", 1, 1)
        },
        Transfer {
            order: Some(order),
            payout: None,
            ..gift("gift:x", 1, 1)
        },
        Transfer {
            reason: Reason::OrderHold,
            ..gift("gift:x", 1, 1)
        },
    ];
    for bad in bad {
        let refused = post(&books, &[bad]).await.unwrap_err();
        assert!(matches!(refused, LedgerError::Malformed(_)), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_hold_under_another_event_is_refused() {
    let books = Books::new().await;
    let order = books.order().await;
    books.fund(1, 100).await;
    books.hold(order, 1, 10).await.unwrap();
    let second = Transfer {
        event: "order:again".into(),
        debit: user_trx(1),
        credit: Account::Escrow(Asset::Trx),
        reason: Reason::OrderHold,
        order: Some(order),
        payout: None,
        ..gift("x", 1, 10)
    };
    let refused = post(&books, &[second]).await.unwrap_err();
    assert!(
        matches!(refused, LedgerError::OrderHeld(id) if id == order),
        "{refused:?}"
    );
    assert_eq!(books.trx(1).await, 90);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_posting_is_one_prepared_statement() {
    #[derive(diesel::QueryableByName)]
    struct Plans {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        statements: i64,
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        runs: i64,
    }
    let books = Books::new().await;
    let mut conn = db::acquire(&books.api).await.unwrap();
    for n in 0..3 {
        post_in_tx(&mut conn, &gift(&format!("gift:{n}"), 1, 1)).await.unwrap();
    }
    let plans: Plans = diesel::sql_query(
        "SELECT count(*) AS statements, COALESCE(sum(generic_plans + custom_plans), 0)::bigint AS runs
         FROM pg_prepared_statements WHERE statement NOT LIKE '%pg_prepared%'",
    )
    .get_result(&mut conn)
    .await
    .unwrap();
    assert_eq!(
        (plans.statements, plans.runs),
        (1, 3),
        "prepared once, and nothing else was asked"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_balance_waits_for_nobody_else_to_spend_it() {
    let books = Books::new().await;
    let orders = books.orders(2).await;
    books.fund(1, 100).await;
    let spend = async |order| {
        run_tx(&books.api, "test", async |conn| {
            let has = ledger::lock_user_balance_in_tx(conn, UserId(1), Asset::Trx).await?;
            if has < amount(60) {
                return Ok(false);
            }
            ledger::movements::hold_in_tx(conn, &hold(order, 1, 60)).await?;
            Ok::<_, LedgerError>(true)
        })
        .await
        .unwrap()
    };
    let (one, two) = tokio::join!(spend(orders[0]), spend(orders[1]));
    assert!(one ^ two, "one of the two saw what the other left");
    let mut conn = db::acquire(&books.api).await.unwrap();
    let nobody = ledger::lock_user_balance_in_tx(&mut conn, UserId(5), Asset::Usdt)
        .await
        .unwrap();
    assert!(nobody.is_zero());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_from_two_sides_at_once_moves_once() {
    let books = Books::new().await;
    for n in 0..20 {
        let reference = format!("race-{n}");
        let credit = adjustment(&reference, 1, Direction::Credit, 1);
        let (one, two) = tokio::join!(books.adjust(&credit), books.adjust(&credit));
        let mut posted = [one.unwrap(), two.unwrap()];
        posted.sort_by_key(|posted| *posted == Posted::Already);
        assert_eq!(posted, [Posted::New, Posted::Already]);
    }
    assert_eq!(books.trx(1).await, 20);
}

//! What the database refuses by itself, whoever asks and however.

use db::Pool;
use diesel::result::Error as Diesel;
use diesel_async::SimpleAsyncConnection;
use testkit::Role;

use crate::support::Books;

/// What PostgreSQL said against it, with the constraint if one was violated.
async fn refusal(pool: &Pool, sql: &str) -> String {
    let mut conn = db::acquire(pool).await.unwrap();
    match conn.batch_execute(sql).await {
        Ok(()) => panic!("not refused: {sql}"),
        Err(Diesel::DatabaseError(_, info)) => info.message().to_owned(),
        Err(other) => panic!("{sql}: {other}"),
    }
}

fn insert(event: &str, debit: &str, credit: &str, rest: &str) -> String {
    format!(
        "INSERT INTO ledger_transfers (event, debit_account, credit_account, asset, amount, reason, order_id, created_at)
         VALUES ('{event}', '{debit}', '{credit}', {rest}, now())"
    )
}

async fn funded() -> Books {
    let books = Books::new().await;
    books.fund(1, 100).await;
    books
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_and_checkpoints_are_never_changed() {
    let books = funded().await;
    books.checkpoint().await;
    let owner = books.db.pool(Role::Owner);
    let changes = [
        "UPDATE ledger_transfers SET amount = 1",
        "UPDATE ledger_transfers SET note = 'x'",
        "DELETE FROM ledger_transfers",
        "TRUNCATE ledger_transfers",
        "TRUNCATE ledger_accounts CASCADE",
        "TRUNCATE orders CASCADE",
    ];
    for sql in changes {
        let said = refusal(&owner, sql).await;
        assert!(said.contains("append-only"), "{sql}: {said}");
        for pool in [&books.api, &books.worker] {
            let said = refusal(pool, sql).await;
            assert!(said.contains("permission denied"), "{sql}: {said}");
        }
    }
    books
        .db
        .sql("INSERT INTO ledger_checkpoints VALUES ('house:adjustments:TRX', '1', 0, 0, now())")
        .await;
    for sql in [
        "UPDATE ledger_checkpoints SET debits = 1",
        "DELETE FROM ledger_checkpoints",
    ] {
        assert!(refusal(&owner, sql).await.contains("append-only"));
        assert!(refusal(&books.worker, sql).await.contains("permission denied"));
    }
    let checkpoint = "INSERT INTO ledger_checkpoints VALUES ('house:adjustments:TRX', '2', 0, 0, now())";
    assert!(refusal(&books.api, checkpoint).await.contains("permission denied"));
    assert_eq!((books.transfers().await, books.trx(1).await), (1, 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_changes_only_by_a_transfer() {
    let books = funded().await;
    let owner = books.db.pool(Role::Owner);
    let changes = [
        "UPDATE ledger_accounts SET balance = 1000 WHERE code = 'user:1:TRX'",
        "UPDATE ledger_accounts SET created_at = now()",
        "DELETE FROM ledger_accounts WHERE code = 'user:1:TRX'",
    ];
    for sql in changes {
        let said = refusal(&owner, sql).await;
        assert!(said.contains("changes only by transfers"), "{sql}: {said}");
        for pool in [&books.api, &books.worker] {
            assert!(refusal(pool, sql).await.contains("permission denied"), "{sql}");
        }
    }
    let open = |code: &str, user: &str, balance: &str| {
        format!(
            "INSERT INTO ledger_accounts (code, user_id, asset, balance) VALUES ('{code}', {user}, 'TRX', {balance})"
        )
    };
    for pool in [&owner, &books.api, &books.worker] {
        assert!(
            refusal(pool, &open("user:2:TRX", "2", "5"))
                .await
                .contains("opens at zero")
        );
        assert!(
            refusal(pool, &open("user:2:TRX", "2", "NULL"))
                .await
                .contains("balance_kept")
        );
        assert!(
            refusal(pool, &open("user:3:TRX", "2", "0"))
                .await
                .contains("ledger_accounts_code")
        );
        assert!(
            refusal(pool, &open("house:escrow:USDT", "NULL", "NULL"))
                .await
                .contains("ledger_accounts_code")
        );
    }
    assert_eq!(books.trx(1).await, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_transfers_cannot_break_the_books() {
    let books = funded().await;
    let order = books.order().await;
    books.hold(order, 1, 10).await.unwrap();
    books.settle(order).await.unwrap();
    let (user, house, escrow) = ("user:1:TRX", "house:adjustments:TRX", "house:escrow:TRX");
    let by_hand = "'operator_adjustment', NULL";
    let wrong = [
        (
            insert("raw:1", user, house, &format!("'TRX', 91, {by_hand}")),
            "not_overdrawn",
        ),
        (
            insert("raw:2", house, user, &format!("'TRX', 0, {by_hand}")),
            "ledger_transfers_positive",
        ),
        (
            insert("raw:3", house, user, &format!("'TRX', -1, {by_hand}")),
            "ledger_transfers_positive",
        ),
        (
            insert("raw:4", user, user, &format!("'TRX', 1, {by_hand}")),
            "two_accounts",
        ),
        (
            insert("raw:5", house, user, &format!("'USDT', 1, {by_hand}")),
            "foreign key",
        ),
        (
            insert("raw:6", "house:gifts:TRX", user, &format!("'TRX', 1, {by_hand}")),
            "foreign key",
        ),
        (insert("raw:7", house, user, "'TRX', 1, 'gift', NULL"), "reason_check"),
        (
            insert("raw:8", escrow, user, "'TRX', 1, 'order_refund', NULL"),
            "ledger_transfers_order",
        ),
        (
            insert("adjustment:fund-1", house, user, &format!("'TRX', 1, {by_hand}")),
            "ledger_transfers_pkey",
        ),
        (
            insert("raw:9", escrow, user, &format!("'TRX', 10, 'order_refund', '{order}'")),
            "one_end",
        ),
        (
            insert("raw:10", user, escrow, &format!("'TRX', 10, 'order_hold', '{order}'")),
            "one_hold",
        ),
    ];
    let owner = books.db.pool(Role::Owner);
    for (sql, word) in wrong {
        for pool in [&owner, &books.api, &books.worker] {
            let said = refusal(pool, &sql).await;
            assert!(said.contains(word), "{sql}: {said}");
        }
    }
    assert_eq!((books.trx(1).await, books.transfers().await), (90, 3));
    books.assert_proven().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_table_does_not_stand_in_for_the_accounts() {
    let books = funded().await;
    let shadow = "CREATE TEMP TABLE ledger_accounts (code text, balance bigint);
        INSERT INTO pg_temp.ledger_accounts VALUES ('user:1:TRX', 1000000);
        GRANT ALL ON pg_temp.ledger_accounts TO PUBLIC;";
    let take = insert(
        "raw:1",
        "user:1:TRX",
        "house:adjustments:TRX",
        "'TRX', 1000, 'operator_adjustment', NULL",
    );
    for pool in [&books.api, &books.worker] {
        let said = refusal(pool, &format!("{shadow} {take}")).await;
        assert!(said.contains("ledger_accounts_not_overdrawn"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_cannot_claim_another_transaction() {
    let books = funded().await;
    let claim = "INSERT INTO ledger_transfers
        (event, debit_account, credit_account, asset, amount, reason, created_at, xact_id)
        VALUES ('raw:1', 'house:adjustments:TRX', 'user:1:TRX', 'TRX', 1, 'operator_adjustment', now(), '3')";
    assert!(refusal(&books.worker, claim).await.contains("xact_id"));
}

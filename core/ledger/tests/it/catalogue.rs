//! The catalogue itself: the guards of the books exist, are enabled, and say what they must.

use diesel_async::RunQueryDsl;
use testkit::Role;

use crate::support::{Books, Word};

/// Triggers with their state, CHECK and UNIQUE constraints, partial unique indexes, and functions with borrowed rights.
const GUARDS: &str = "
    SELECT word FROM (
    SELECT 'trigger ' || tgname || ' ' || tgenabled::text || ' ' || regexp_replace(pg_get_triggerdef(oid),
        '^CREATE TRIGGER \\S+ ', '') AS word
    FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'ledger\\_%'
    UNION ALL
    SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid::regclass::text LIKE 'ledger\\_%' AND convalidated AND contype IN ('c', 'f', 'p', 'u')
    UNION ALL
    SELECT 'index ' || regexp_replace(pg_get_indexdef(indexrelid), '^CREATE UNIQUE INDEX ', '') FROM pg_index
    WHERE indrelid::regclass::text LIKE 'ledger\\_%' AND indisunique AND indisvalid AND indpred IS NOT NULL
    UNION ALL
    SELECT 'definer ' || proname || ' ' || array_to_string(proconfig, ' ') FROM pg_proc
    WHERE prosecdef AND pronamespace = 'public'::regnamespace
    ) AS guards ORDER BY word COLLATE \"C\"";

#[tokio::test(flavor = "multi_thread")]
async fn the_guards_of_the_books_are_there() {
    let books = Books::new().await;
    let pool = books.db.pool(Role::Owner);
    let mut conn = db::acquire(&pool).await.unwrap();
    let rows: Vec<Word> = diesel::sql_query(GUARDS).load(&mut conn).await.unwrap();
    let found = rows.into_iter().map(|row| row.word).collect::<Vec<_>>().join("\n");
    assert_eq!(found, include_str!("catalogue.txt").trim_end(), "found:\n{found}");
}

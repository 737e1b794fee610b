-- What an order needs at the very least, in tables without triggers, foreign keys and secondary indexes.
CREATE SEQUENCE ids CACHE 100;
CREATE TABLE keys (key text PRIMARY KEY, order_id bigint NOT NULL);
CREATE TABLE accounts (id integer PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0)) WITH (fillfactor = 50);
CREATE TABLE wallets (id integer PRIMARY KEY, room bigint NOT NULL, last_ms bigint NOT NULL) WITH (fillfactor = 20);
CREATE TABLE orders (id bigint PRIMARY KEY, account integer NOT NULL, receiver text NOT NULL, energy bigint NOT NULL,
    price bigint NOT NULL, state text NOT NULL, created_at timestamptz NOT NULL, completed_at timestamptz);
CREATE TABLE transfers (event text PRIMARY KEY, debit text NOT NULL, credit text NOT NULL, amount bigint NOT NULL,
    order_id bigint NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE jobs (order_id bigint PRIMARY KEY, next_run_at timestamptz NOT NULL);
CREATE TABLE transactions (txid text PRIMARY KEY, order_id bigint NOT NULL, wallet integer NOT NULL, raw bytea NOT NULL,
    state text NOT NULL, block bigint);
INSERT INTO accounts SELECT n, 1000000000000 FROM generate_series(1, 1000) n;
INSERT INTO wallets SELECT n, 1000000000000, 0 FROM generate_series(1, 100) n;

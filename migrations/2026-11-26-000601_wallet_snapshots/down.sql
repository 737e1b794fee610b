DROP FUNCTION wallet_snapshots_month(timestamptz);
DROP FUNCTION wallet_snapshots_drop(timestamptz);
DROP TABLE wallet_snapshots;

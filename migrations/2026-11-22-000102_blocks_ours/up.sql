-- How many transactions of ours a block carries: an expired transaction is its wallet's fault only if the network took
-- others of ours in its time.
ALTER TABLE blocks ADD COLUMN ours integer NOT NULL DEFAULT 0 CHECK (ours >= 0);

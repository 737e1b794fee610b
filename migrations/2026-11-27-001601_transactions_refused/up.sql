-- Whether the last answer to a send said that the transaction itself is at fault. One that expires after such an answer says
-- nothing of whether the network takes transactions.
ALTER TABLE chain_transactions ADD COLUMN refused boolean NOT NULL DEFAULT false;

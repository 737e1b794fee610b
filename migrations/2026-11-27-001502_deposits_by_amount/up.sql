-- Serves the matching by amount on a shared address, of amounts that were released since, too: whoever was asked for one when it
-- was paid is meant.
CREATE INDEX CONCURRENTLY deposits_by_amount ON deposits (address_id, asset, amount) WHERE way = 'amount';

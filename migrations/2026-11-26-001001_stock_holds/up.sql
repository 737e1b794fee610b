-- Stake that a quote has set aside for its order. It counts as promised (supplier_wallets.reserved_sun) as long as the row is
-- there; the claim of the order, its end, or the end of a quote that nobody used removes it.
CREATE TABLE stock_holds (
    quote_id uuid NOT NULL REFERENCES price_quotes (id),
    wallet_id uuid NOT NULL REFERENCES supplier_wallets (id),
    amount_sun bigint NOT NULL CHECK (amount_sun > 0),
    PRIMARY KEY (quote_id, wallet_id)
);
CREATE INDEX stock_holds_by_wallet ON stock_holds (wallet_id);

GRANT SELECT, INSERT, DELETE ON stock_holds TO switchyard_api;
GRANT SELECT, DELETE ON stock_holds TO switchyard_worker;
-- what is held counts as promised at once, before a worker hears of it
GRANT UPDATE (reserved_sun) ON supplier_wallets TO switchyard_api;

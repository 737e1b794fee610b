-- Stake that a quote has set aside for its order. It counts as promised (supplier_wallets.reserved_sun) as long as the row is
-- there; the claim of the order, its end, or the end of a quote that nobody used removes it.
CREATE TABLE stock_holds (
    quote_id uuid NOT NULL REFERENCES price_quotes (id),
    wallet_id uuid NOT NULL REFERENCES supplier_wallets (id),
    amount_sun bigint NOT NULL CHECK (amount_sun > 0),
    PRIMARY KEY (quote_id, wallet_id)
);
CREATE INDEX stock_holds_by_wallet ON stock_holds (wallet_id);

-- With the rights of the schema's owner: the API sets stock aside and may not write a wallet's reservation otherwise.
CREATE FUNCTION stock_holds_count() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE supplier_wallets SET reserved_sun = reserved_sun + NEW.amount_sun WHERE id = NEW.wallet_id;
    ELSE
        UPDATE supplier_wallets SET reserved_sun = reserved_sun - OLD.amount_sun WHERE id = OLD.wallet_id;
    END IF;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION stock_holds_count() FROM PUBLIC;
CREATE TRIGGER stock_holds_counted AFTER INSERT OR DELETE ON stock_holds
    FOR EACH ROW EXECUTE FUNCTION stock_holds_count();

GRANT SELECT, INSERT, DELETE ON stock_holds TO switchyard_api;
GRANT SELECT, DELETE ON stock_holds TO switchyard_worker;

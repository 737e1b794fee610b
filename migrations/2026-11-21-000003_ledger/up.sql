-- Money. An account is named by its code; a transfer debits one account and credits another of the same asset.
-- User accounts are liabilities of ours and carry a balance; house accounts carry none (their balance is a sum with
-- checkpoints), so that a thousand orders a second do not queue on one row.
CREATE TABLE ledger_accounts (
    code text PRIMARY KEY,
    user_id bigint REFERENCES users (id),
    asset text NOT NULL CHECK (asset IN ('TRX', 'USDT')),
    balance bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ledger_accounts_not_overdrawn CHECK (balance >= 0),
    CONSTRAINT ledger_accounts_code CHECK (
        CASE WHEN user_id IS NULL
            THEN code ~ '^house:[a-z_]+(:[a-z0-9-]+)?:(TRX|USDT)$' AND code LIKE '%:' || asset
            ELSE code = 'user:' || user_id || ':' || asset
        END),
    CONSTRAINT ledger_accounts_balance_kept CHECK ((user_id IS NULL) = (balance IS NULL)),
    UNIQUE (code, asset)
);

CREATE TABLE ledger_transfers (
    -- made from the business event, e.g. 'order:<id>:hold': the same event twice is the same row
    event text PRIMARY KEY CHECK (length(event) BETWEEN 3 AND 200),
    debit_account text NOT NULL,
    credit_account text NOT NULL,
    asset text NOT NULL,
    amount bigint NOT NULL CONSTRAINT ledger_transfers_positive CHECK (amount > 0),
    reason text NOT NULL CHECK (reason IN (
        'order_hold', 'order_settle', 'order_refund', 'order_cancel', 'operator_adjustment')),
    order_id uuid,
    -- who moved it when a person or a client did: 'api_key:<id>', 'operator:<name>'
    actor text CHECK (length(actor) <= 200),
    note text CHECK (length(note) <= 500),
    created_at timestamptz NOT NULL,
    -- the writing transaction, so that a checkpoint can tell what it has certainly seen
    xact_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT ledger_transfers_two_accounts CHECK (debit_account <> credit_account),
    CONSTRAINT ledger_transfers_order CHECK ((reason LIKE 'order_%') = (order_id IS NOT NULL)),
    FOREIGN KEY (debit_account, asset) REFERENCES ledger_accounts (code, asset),
    FOREIGN KEY (credit_account, asset) REFERENCES ledger_accounts (code, asset)
);
-- An order is paid once and ends once: settled to revenue, refunded or cancelled, never two of these.
CREATE UNIQUE INDEX ledger_transfers_one_hold ON ledger_transfers (order_id) WHERE reason = 'order_hold';
CREATE UNIQUE INDEX ledger_transfers_one_end ON ledger_transfers (order_id)
    WHERE reason IN ('order_settle', 'order_refund', 'order_cancel');
-- Serve balances as sums since a checkpoint, and statements.
CREATE INDEX ledger_transfers_by_debit ON ledger_transfers (debit_account, xact_id);
CREATE INDEX ledger_transfers_by_credit ON ledger_transfers (credit_account, xact_id);

-- The balance of a house account over every transfer written by a transaction before `below_xact`.
CREATE TABLE ledger_checkpoints (
    account text NOT NULL REFERENCES ledger_accounts (code),
    below_xact xid8 NOT NULL,
    debits numeric(38, 0) NOT NULL CHECK (debits >= 0),
    credits numeric(38, 0) NOT NULL CHECK (credits >= 0),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account, below_xact)
);

-- Keeps the cached balances. It runs with its owner's rights: the processes may insert transfers, and nobody but this
-- function changes a balance. Rows are locked in code order, so that two transfers cannot wait for each other; not FOR
-- UPDATE, since the foreign keys of both have locked the row FOR KEY SHARE already, and each would wait for the other.
-- pg_temp comes last: a temporary table of the caller's must not stand in for the accounts.
CREATE FUNCTION ledger_apply_transfer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.xact_id <> pg_current_xact_id() THEN -- it would hide below a checkpoint
        RAISE EXCEPTION 'xact_id is not for the writer to choose' USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM 1 FROM ledger_accounts
        WHERE code IN (NEW.debit_account, NEW.credit_account) AND balance IS NOT NULL
        ORDER BY code FOR NO KEY UPDATE;
    UPDATE ledger_accounts
        SET balance = balance + CASE WHEN code = NEW.credit_account THEN NEW.amount ELSE -NEW.amount END
        WHERE code IN (NEW.debit_account, NEW.credit_account) AND balance IS NOT NULL;
    RETURN NULL;
END $$;
-- For callers that decide by a balance: the processes may not update accounts, so they could not lock one themselves.
CREATE FUNCTION ledger_lock_balance(wanted text) RETURNS bigint LANGUAGE sql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT balance FROM ledger_accounts WHERE code = wanted FOR NO KEY UPDATE
$$;
CREATE TRIGGER ledger_transfers_apply AFTER INSERT ON ledger_transfers
    FOR EACH ROW EXECUTE FUNCTION ledger_apply_transfer();

CREATE TRIGGER ledger_transfers_append_only BEFORE UPDATE OR DELETE ON ledger_transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_transfers_no_truncate BEFORE TRUNCATE ON ledger_transfers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_checkpoints_append_only BEFORE UPDATE OR DELETE ON ledger_checkpoints
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- An account starts at nothing, and only a transfer changes its balance (the trigger above is at depth 2).
CREATE FUNCTION ledger_guard_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.balance IS DISTINCT FROM 0 AND NEW.balance IS NOT NULL THEN
            RAISE EXCEPTION 'an account opens at zero' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND pg_trigger_depth() > 1 AND (NEW.code, NEW.user_id, NEW.asset, NEW.created_at)
        IS NOT DISTINCT FROM (OLD.code, OLD.user_id, OLD.asset, OLD.created_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'ledger_accounts changes only by transfers: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_accounts_guard BEFORE INSERT OR UPDATE OR DELETE ON ledger_accounts
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_account();

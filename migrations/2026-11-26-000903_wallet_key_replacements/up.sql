-- A key in place of another. Until it is opened the old one signs.
CREATE TABLE wallet_key_replacements (
    id uuid PRIMARY KEY,
    wallet_id uuid NOT NULL REFERENCES supplier_wallets (id),
    state text NOT NULL CHECK (state IN ('requested', 'done', 'rejected')),
    -- the new key, sealed to the workers; gone once they opened it, and never there where a worker had the key itself
    sealed bytea CHECK (octet_length(sealed) BETWEEN 32 AND 4096),
    -- what the new key signs by
    permission_id integer NOT NULL CHECK (permission_id = 0 OR permission_id BETWEEN 2 AND 9),
    -- 'operator:<name>', 'api_key:<id>'
    requested_by text NOT NULL CHECK (length(requested_by) <= 200),
    reason text NOT NULL CHECK (length(reason) <= 500),
    -- as it was before, once it is done
    old_key_address text,
    old_permission_id integer,
    -- known once it is opened
    new_key_address text,
    rejected_reason text CHECK (length(rejected_reason) <= 500),
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT wallet_key_replacements_sealed CHECK (state = 'requested' OR sealed IS NULL),
    CONSTRAINT wallet_key_replacements_ended CHECK ((state = 'requested') = (ended_at IS NULL)),
    CONSTRAINT wallet_key_replacements_done CHECK ((state = 'done') = (old_key_address IS NOT NULL)
        AND (state = 'done') = (old_permission_id IS NOT NULL) AND (state <> 'done' OR new_key_address IS NOT NULL)),
    CONSTRAINT wallet_key_replacements_rejected CHECK ((state = 'rejected') = (rejected_reason IS NOT NULL))
);
-- One at a time for each wallet.
CREATE UNIQUE INDEX wallet_key_replacements_one_open ON wallet_key_replacements (wallet_id) WHERE state = 'requested';
-- Serves the last one of a wallet, which its view shows.
CREATE INDEX wallet_key_replacements_by_wallet ON wallet_key_replacements (wallet_id, id);

CREATE FUNCTION wallet_key_replacements_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'requested' THEN
        RAISE EXCEPTION 'replacement % has ended', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER wallet_key_replacements_guard BEFORE UPDATE ON wallet_key_replacements
    FOR EACH ROW EXECUTE FUNCTION wallet_key_replacements_guard();
CREATE TRIGGER wallet_key_replacements_kept BEFORE DELETE ON wallet_key_replacements
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A key is replaced for a reason.
ALTER TABLE operator_actions ADD CONSTRAINT operator_actions_keys_reason
    CHECK (action <> 'wallets.replace_key' OR reason IS NOT NULL) NOT VALID;
ALTER TABLE operator_actions VALIDATE CONSTRAINT operator_actions_keys_reason;

-- The API shows all but what is sealed.
GRANT SELECT (id, wallet_id, state, permission_id, requested_by, reason, old_key_address, old_permission_id, new_key_address,
    rejected_reason, created_at, ended_at) ON wallet_key_replacements TO switchyard_api;
GRANT INSERT ON wallet_key_replacements TO switchyard_api, switchyard_worker;
GRANT SELECT ON wallet_key_replacements TO switchyard_worker;
GRANT UPDATE (state, sealed, old_key_address, old_permission_id, new_key_address, rejected_reason, ended_at)
    ON wallet_key_replacements TO switchyard_worker;
GRANT UPDATE (ciphertext, created_at) ON wallet_keys TO switchyard_worker;

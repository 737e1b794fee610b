-- Account keys (m/44'/195'/0') that addresses of customers are derived from, at rest like keys of wallets: AES-256-GCM under a
-- data key of their own, that key wrapped by a master key. The API gives addresses out by the public half alone.
CREATE TABLE deposit_account_keys (
    -- names the account: 8 hex digits, as in deposit_addresses.key_fingerprint
    fingerprint text PRIMARY KEY CHECK (fingerprint ~ '^[0-9a-f]{8}$'),
    master_key_id integer NOT NULL REFERENCES master_keys (id),
    wrapped_data_key bytea NOT NULL CHECK (octet_length(wrapped_data_key) BETWEEN 32 AND 256),
    ciphertext bytea NOT NULL CHECK (octet_length(ciphertext) BETWEEN 32 AND 256),
    created_at timestamptz NOT NULL,
    rewrapped_at timestamptz
);
GRANT SELECT, INSERT ON deposit_account_keys TO switchyard_worker;
GRANT UPDATE (master_key_id, wrapped_data_key, rewrapped_at) ON deposit_account_keys TO switchyard_worker;

-- A deposit address that is collected is a wallet, too: what it signs needs a wallet's timestamps and locks. Such a wallet
-- neither lends nor pays out, and is in no figure of suppliers. The indexes of these still serve: deposit wallets have no room.
ALTER TABLE supplier_wallets DROP CONSTRAINT supplier_wallets_purpose;
ALTER TABLE supplier_wallets ADD CONSTRAINT supplier_wallets_purpose CHECK (purpose IN ('supply', 'treasury', 'deposit'));
ALTER TABLE supplier_wallets ADD COLUMN deposit_address_id uuid UNIQUE REFERENCES deposit_addresses (id);
ALTER TABLE supplier_wallets ADD CONSTRAINT supplier_wallets_deposit
    CHECK ((purpose = 'deposit') = (deposit_address_id IS NOT NULL));

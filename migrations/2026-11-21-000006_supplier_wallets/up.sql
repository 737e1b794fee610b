-- TRON accounts of ours with staked TRX, whose energy is delegated to customers.
CREATE TABLE supplier_wallets (
    id uuid PRIMARY KEY,
    -- known once a worker has opened the imported key
    address text UNIQUE CHECK (address ~ '^T[1-9A-HJ-NP-Za-km-z]{33}$'),
    label text CHECK (length(label) <= 100),
    state text NOT NULL CHECK (state IN ('importing', 'active', 'rejected')),
    rejected_reason text CHECK (length(rejected_reason) <= 500),
    enabled boolean NOT NULL DEFAULT true,
    isolated_at timestamptz,
    isolated_reason text CHECK (length(isolated_reason) <= 500),
    -- chain transactions of this wallet that died since the last success
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    -- 0 the owner's key; 2.. an active permission limited to delegating and undelegating
    permission_id integer NOT NULL DEFAULT 0 CHECK (permission_id BETWEEN 0 AND 9),
    -- the last raw_data.timestamp signed, so that no two transactions of a wallet are equal
    last_timestamp_ms bigint NOT NULL DEFAULT 0,
    -- what the chain said at the last sync
    balance_sun bigint NOT NULL DEFAULT 0,
    staked_energy_sun bigint NOT NULL DEFAULT 0,
    staked_bandwidth_sun bigint NOT NULL DEFAULT 0,
    delegated_energy_sun bigint NOT NULL DEFAULT 0,
    delegatable_sun bigint NOT NULL DEFAULT 0 CHECK (delegatable_sun >= 0),
    bandwidth_available bigint NOT NULL DEFAULT 0,
    -- every block up to this one is certainly in those figures
    synced_block bigint NOT NULL DEFAULT 0,
    synced_at timestamptz,
    -- staked sun promised to delegations that the last sync did not see yet
    reserved_sun bigint NOT NULL DEFAULT 0 CONSTRAINT supplier_wallets_reserved CHECK (reserved_sun >= 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT supplier_wallets_active_has_address CHECK (state <> 'active' OR address IS NOT NULL),
    CONSTRAINT supplier_wallets_rejected_has_reason CHECK ((state = 'rejected') = (rejected_reason IS NOT NULL)),
    CONSTRAINT supplier_wallets_isolated_has_reason CHECK ((isolated_at IS NULL) = (isolated_reason IS NULL))
);
-- Serves the choice of a wallet: the best fit is the smallest room that suffices.
CREATE INDEX supplier_wallets_by_room ON supplier_wallets ((delegatable_sun - reserved_sun))
    WHERE state = 'active' AND enabled AND isolated_at IS NULL;

-- A key on its way in: sealed by the API to the workers' public key, gone once a worker has re-wrapped it.
CREATE TABLE wallet_imports (
    wallet_id uuid PRIMARY KEY REFERENCES supplier_wallets (id),
    sealed bytea NOT NULL CHECK (octet_length(sealed) BETWEEN 32 AND 4096),
    created_at timestamptz NOT NULL
);

-- Master keys by number: only what is needed to recognise the right one, never the key.
CREATE TABLE master_keys (
    id integer PRIMARY KEY CHECK (id > 0),
    -- how the key is had: {"kind":"raw"} or {"kind":"pbkdf2","salt":…,"iterations":…}
    derivation jsonb NOT NULL,
    -- a known text encrypted under the key: a wrong key is told at the start, not at the first order
    check_value bytea NOT NULL,
    created_at timestamptz NOT NULL,
    retired_at timestamptz
);

-- Private keys at rest: AES-256-GCM under a data key of the wallet's own, that key wrapped by a master key.
CREATE TABLE wallet_keys (
    wallet_id uuid PRIMARY KEY REFERENCES supplier_wallets (id),
    master_key_id integer NOT NULL REFERENCES master_keys (id),
    wrapped_data_key bytea NOT NULL CHECK (octet_length(wrapped_data_key) BETWEEN 32 AND 256),
    ciphertext bytea NOT NULL CHECK (octet_length(ciphertext) BETWEEN 32 AND 256),
    created_at timestamptz NOT NULL,
    rewrapped_at timestamptz
);
-- Serves a rotation that goes on where it stopped.
CREATE INDEX wallet_keys_by_master ON wallet_keys (master_key_id, wallet_id);

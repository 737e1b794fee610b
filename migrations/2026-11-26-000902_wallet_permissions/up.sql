-- What the chain said at the last read of who may sign for a wallet, and what its key can do by that.
CREATE TABLE wallet_permissions (
    wallet_id uuid NOT NULL REFERENCES supplier_wallets (id),
    network text NOT NULL,
    read_at timestamptz NOT NULL,
    -- the head just before it was read
    as_of_block bigint NOT NULL,
    -- the key, and the permission that it signs by, as they were then
    key_address text NOT NULL,
    permission_id integer NOT NULL,
    -- null: the account has no such permission
    permission_name text CHECK (length(permission_name) <= 100),
    threshold bigint NOT NULL,
    -- of the key in it; 0 where it is not named
    weight bigint NOT NULL,
    -- 64 hex digits, a bit for each contract type, the lowest first; null: an owner's, which allows everything
    operations text CHECK (operations ~ '^[0-9a-f]{64}$'),
    -- words: what the permission allows, what the wallet's purpose needs and it does not allow, and what the key alone may do
    -- with coin and tokens, by whichever permission of the account
    can jsonb NOT NULL CHECK (jsonb_typeof(can) = 'array'),
    lacks jsonb NOT NULL CHECK (jsonb_typeof(lacks) = 'array'),
    moves_money jsonb NOT NULL CHECK (jsonb_typeof(moves_money) = 'array'),
    signs_alone boolean NOT NULL,
    -- why it cannot sign for what the wallet is for; null: it can
    problem text CHECK (length(problem) <= 100),
    PRIMARY KEY (wallet_id, network)
);
GRANT SELECT ON wallet_permissions TO switchyard_api, switchyard_worker;
GRANT INSERT, UPDATE, DELETE ON wallet_permissions TO switchyard_worker;

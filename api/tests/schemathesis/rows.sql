-- What the API itself cannot make, so that every list has rows and every id of a path something to hit.
-- An order, a webhook, a payout, a deposit and the like are made through the API before.

INSERT INTO chain_cursors (network, head_number, head_block_id, head_time, solid_number, solid_block_id, solid_time, first_number,
    total_energy_limit, total_energy_weight, updated_at)
VALUES ('tron', 100, repeat('a', 64), now(), 90, repeat('b', 64), now(), 1, 180000000000, 18000000000, now());

INSERT INTO supplier_wallets (id, address, label, state, purpose, balance_sun, staked_energy_sun, delegatable_sun, reserved_sun,
    bandwidth_available, unfreezing, synced_at, created_at, updated_at)
VALUES
    ('00000000-0000-7000-8000-0000000000a1', 'TJRabPrwbZy45sbavfcjinPJC18kjpRTv8', 'first', 'active', 'supply', 900000000000,
        900000000000, 900000000000, 240000000, 600,
        '[{"resource": "energy", "amount_sun": 7000000, "ready_at": "2027-01-20T08:00:00Z"}]', now(), now(), now()),
    ('00000000-0000-7000-8000-0000000000a2', 'TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH', 'pays', 'active', 'treasury', 900000000000,
        0, 0, 0, 600, '[]', now(), now(), now()),
    ('00000000-0000-7000-8000-0000000000a3', NULL, NULL, 'importing', 'supply', 0, 0, 0, 0, 0, '[]', NULL, now(), now());

-- the newest order was delivered for good, so that its time can be extended
UPDATE orders SET state = 'processing' WHERE id = (SELECT id FROM orders ORDER BY id DESC LIMIT 1);
UPDATE orders SET state = 'completed', completed_at = now(), ends_at = now() + interval '1 hour' WHERE state = 'processing';
UPDATE orders SET settled_at = now() WHERE state = 'completed';
INSERT INTO delegations (id, order_id, wallet_id, network, receiver, energy, amount_sun, state, block_number, active_at, ends_at,
    created_at, updated_at)
SELECT '00000000-0000-7000-8000-0000000000d1', id, '00000000-0000-7000-8000-0000000000a1', 'tron', receiver, energy, 240000000,
    'active', 80, now(), ends_at, now(), now()
FROM orders WHERE state = 'completed';

SELECT wallet_snapshots_month(now());
INSERT INTO wallet_snapshots
SELECT '00000000-0000-7000-8000-0000000000a1', 'tron', now() - n * interval '1 second', n, n * 1000000, 2, 3, 4, 5, 6, 7, 8, 9,
    10, 11, 12, 13
FROM generate_series(1, 3) n;

INSERT INTO wallet_permissions
VALUES ('00000000-0000-7000-8000-0000000000a1', 'tron', now(), 70, 'TJRabPrwbZy45sbavfcjinPJC18kjpRTv8', 2, 'lending', 2, 1,
    '0000000000000006' || repeat('0', 48), '["delegate", "undelegate"]', '[]', '[]', false, 'weight_below_threshold');

INSERT INTO users (id, created_at) VALUES (-2, now()), (7, now()) ON CONFLICT DO NOTHING;
INSERT INTO deposit_addresses (id, network, address, kind, user_id, key_fingerprint, derivation_index, created_at)
VALUES
    ('00000000-0000-7000-8000-0000000000b1', 'tron', 'TDa9LMcUJuSHAeJqamAiFcMdiVS2oKEJjL', 'rental', NULL, NULL, NULL, now()),
    ('00000000-0000-7000-8000-0000000000b2', 'tron', 'TLa2f6VPqDgRE67v1736s7bJ8Ray5wYjU7', 'user', 7, '0a1b2c3d', 7, now());

-- two bought energy, one of which is held; two came for nobody
INSERT INTO incoming_transfers (id, network, txid, log_index, block_number, block_id, block_time, place, from_address, to_address,
    address_id, amount, state, kind, user_id, asset, credited, decided_by, decided_at, created_at, updated_at)
SELECT ('00000000-0000-7000-8000-0000000000c' || n)::uuid, 'tron', 'aa' || lpad(n::text, 62, '0'), -1, 70, 'x', now(), n,
    'TZ4UXDV5ZhNW7fb2AMSbgfAEZ7hWsnYS2g', 'TDa9LMcUJuSHAeJqamAiFcMdiVS2oKEJjL', '00000000-0000-7000-8000-0000000000b1', 3000000,
    'credited', 'rental', -2, 'TRX', 3000000, 'worker', now(), now(), now()
FROM generate_series(1, 2) n;
INSERT INTO incoming_transfers (id, network, txid, log_index, block_number, block_id, block_time, place, from_address, to_address,
    address_id, amount, state, kind, asset, created_at, updated_at)
SELECT ('00000000-0000-7000-8000-0000000000c' || n)::uuid, 'tron', 'bb' || lpad(n::text, 62, '0'), -1, 71, 'y', now(), n,
    'TZ4UXDV5ZhNW7fb2AMSbgfAEZ7hWsnYS2g', 'TLa2f6VPqDgRE67v1736s7bJ8Ray5wYjU7', '00000000-0000-7000-8000-0000000000b2', 4000000,
    'held', 'unmatched', 'TRX', now(), now()
FROM generate_series(3, 4) n;
INSERT INTO rentals (transfer_id, user_id, api_key_id, sender, amount_sun, receiver, energy, duration_s, state, created_at,
    updated_at)
SELECT t.id, -2, k.id, t.from_address, 3000000, t.from_address, 65000, 3600, 'waiting', now(), now()
FROM incoming_transfers t, (SELECT id FROM api_keys LIMIT 1) k WHERE t.kind = 'rental';
UPDATE rentals SET state = 'held', reason_code = 'no_price', held_code = 'sender_unknown'
WHERE transfer_id = '00000000-0000-7000-8000-0000000000c2';

INSERT INTO supplier_wallets (id, address, state, purpose, deposit_address_id, created_at, updated_at)
VALUES ('00000000-0000-7000-8000-0000000000a4', 'TLa2f6VPqDgRE67v1736s7bJ8Ray5wYjU7', 'active', 'deposit',
    '00000000-0000-7000-8000-0000000000b2', now(), now());
INSERT INTO sweeps (id, network, asset, wallet_id, state, created_at, updated_at)
VALUES ('00000000-0000-7000-8000-0000000000e1', 'tron', 'TRX', '00000000-0000-7000-8000-0000000000a4', 'planned',
    now() - interval '2 hours', now() - interval '2 hours');

INSERT INTO findings (id, kind, severity, subject, detail, metric, action, first_seen_at, last_seen_at)
SELECT ('00000000-0000-7000-8000-0000000000f' || n)::uuid, 'pool.low_stock', 'warning', 'tron' || n, '{"energy": 7}',
    'switchyard_pool_sellable_energy', 'Add stake.', now(), now()
FROM generate_series(1, 4) n;

INSERT INTO jobs (kind, object_id, queue, runs, state, next_run_at, last_error_code, last_error, dead_at, created_at)
SELECT 'wallets.sync', 'o' || n, 'wallets', 10, 'dead', now(), 'bad', 'in words', now() - n * interval '1 second', now()
FROM generate_series(1, 50) n;

INSERT INTO rates (id, at, kind, sun_per_usdt) VALUES (gen_random_uuid(), now(), 'market', 3519887);

INSERT INTO setting_versions (version, id, overrides, since, author, author_name, reason, restored, created_at)
VALUES
    (1, gen_random_uuid(), '{"orders.quote_s": 90, "pool.low_trx": "5.000000"}', '{"orders.quote_s": 1, "pool.low_trx": 1}',
        'operator:anna', 'anna', 'a test', NULL, now()),
    (2, gen_random_uuid(), '{}', '{}', 'operator:anna', 'anna', 'it is over', 0, now());

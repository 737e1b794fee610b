-- What the chain said of each wallet at each read, kept for a while in a part for each month.
CREATE TABLE wallet_snapshots (
    -- wallets are never deleted, and a foreign key would have each new part lock their table
    wallet_id uuid NOT NULL,
    network text NOT NULL,
    read_at timestamptz NOT NULL,
    -- every block up to this one is certainly in the figures
    block bigint NOT NULL,
    balance_sun bigint NOT NULL,
    staked_energy_sun bigint NOT NULL,
    staked_bandwidth_sun bigint NOT NULL,
    delegated_energy_sun bigint NOT NULL,
    delegatable_sun bigint NOT NULL,
    -- of stake that was given up: what is not liquid yet, and what can be taken
    unfreezing_sun bigint NOT NULL,
    unfrozen_sun bigint NOT NULL,
    energy_limit bigint NOT NULL,
    energy_used bigint NOT NULL,
    bandwidth_limit bigint NOT NULL,
    bandwidth_used bigint NOT NULL,
    free_bandwidth_limit bigint NOT NULL,
    free_bandwidth_used bigint NOT NULL,
    -- serves a wallet's history too
    PRIMARY KEY (wallet_id, network, read_at)
) PARTITION BY RANGE (read_at);

-- Makes the part for the month of a time, where it is missing. Runs as the owner, since the processes make no tables.
CREATE FUNCTION wallet_snapshots_month(at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    month timestamp := date_trunc('month', at AT TIME ZONE 'UTC');
    part text := 'wallet_snapshots_' || to_char(month, 'YYYY_MM');
BEGIN
    IF to_regclass('public.' || part) IS NOT NULL THEN
        RETURN;
    END IF;
    -- of several that find it missing one makes it; the others wait, and look again as only CREATE does
    PERFORM pg_advisory_xact_lock(hashtext('wallet_snapshots_month'));
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS public.%I PARTITION OF public.wallet_snapshots FOR VALUES FROM (%L) TO (%L)',
        part, month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
END
$$;

-- Drops the parts that hold nothing younger than a time; answers how many.
CREATE FUNCTION wallet_snapshots_drop(before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    last text := 'wallet_snapshots_' || to_char(date_trunc('month', before AT TIME ZONE 'UTC'), 'YYYY_MM');
    part text;
    dropped bigint := 0;
BEGIN
    FOR part IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.wallet_snapshots'::regclass AND c.relname < last ORDER BY 1
    LOOP
        EXECUTE format('DROP TABLE public.%I', part);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;

REVOKE ALL ON FUNCTION wallet_snapshots_month(timestamptz), wallet_snapshots_drop(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION wallet_snapshots_month(timestamptz), wallet_snapshots_drop(timestamptz) TO switchyard_worker;
GRANT SELECT ON wallet_snapshots TO switchyard_api, switchyard_worker;
GRANT INSERT ON wallet_snapshots TO switchyard_worker;

//! Generated from the migrated database by `cargo xtask schema`; do not edit.

diesel::table! {
    api_key_former_secrets (prefix) {
        prefix -> Text,
        api_key_id -> Uuid,
        secret_sha256 -> Bytea,
        works_until -> Timestamptz,
        replaced_at -> Timestamptz,
    }
}

diesel::table! {
    api_key_holders (api_key_id, holder_id) {
        api_key_id -> Uuid,
        holder_id -> Uuid,
        since -> Timestamptz,
    }
}

diesel::table! {
    api_key_spending (api_key_id, day) {
        api_key_id -> Uuid,
        day -> Integer,
        spent_sun -> BigInt,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Uuid,
        name -> Text,
        prefix -> Text,
        secret_sha256 -> Bytea,
        scopes -> Array<Text>,
        rate_limit_per_minute -> Integer,
        created_at -> Timestamptz,
        last_used_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        expires_at -> Nullable<Timestamptz>,
        allowed_from -> Array<Text>,
        daily_limit_sun -> Nullable<BigInt>,
        signing_sealed -> Nullable<Bytea>,
        signing_former -> Nullable<Bytea>,
        signing_former_until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    approvals (id) {
        id -> Uuid,
        kind -> Text,
        subject -> Text,
        request -> Jsonb,
        sealed -> Nullable<Bytea>,
        requested_by -> Text,
        requested_name -> Text,
        reason -> Text,
        requested_at -> Timestamptz,
        expires_at -> Timestamptz,
        state -> Text,
        decided_by -> Nullable<Text>,
        decided_name -> Nullable<Text>,
        decision_reason -> Nullable<Text>,
        ended_at -> Nullable<Timestamptz>,
        result -> Nullable<Jsonb>,
    }
}

diesel::table! {
    audit_inbox (id) {
        id -> BigInt,
        at -> Timestamptz,
        principal -> Text,
        principal_name -> Text,
        address -> Nullable<Text>,
        request_id -> Nullable<Text>,
        action -> Text,
        target -> Nullable<Text>,
        step -> Nullable<Text>,
        result -> Text,
        asked -> Nullable<Json>,
        changes -> Json,
    }
}

diesel::table! {
    audit_trail (seq) {
        seq -> BigInt,
        id -> BigInt,
        at -> Timestamptz,
        principal -> Text,
        principal_name -> Text,
        address -> Nullable<Text>,
        request_id -> Nullable<Text>,
        action -> Text,
        target -> Nullable<Text>,
        step -> Nullable<Text>,
        result -> Text,
        asked -> Nullable<Json>,
        changes -> Json,
        hash -> Bytea,
    }
}

diesel::table! {
    blocks (network, number) {
        network -> Text,
        number -> BigInt,
        block_id -> Text,
        parent_id -> Text,
        block_time -> Timestamptz,
        transaction_count -> Integer,
        ours -> Integer,
    }
}

diesel::table! {
    chain_cursors (network) {
        network -> Text,
        head_number -> BigInt,
        head_block_id -> Text,
        head_time -> Timestamptz,
        solid_number -> BigInt,
        solid_block_id -> Text,
        solid_time -> Timestamptz,
        tip_number -> BigInt,
        first_number -> BigInt,
        total_energy_limit -> BigInt,
        total_energy_weight -> BigInt,
        lease_holder -> Nullable<Text>,
        lease_until -> Nullable<Timestamptz>,
        halted_reason -> Nullable<Text>,
        halted_at -> Nullable<Timestamptz>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    chain_transactions (id) {
        id -> Uuid,
        network -> Text,
        txid -> Text,
        intent_kind -> Text,
        intent_id -> Uuid,
        wallet_id -> Uuid,
        raw -> Bytea,
        timestamp_ms -> BigInt,
        expires_at -> Timestamptz,
        state -> Text,
        outcome -> Nullable<Text>,
        block_number -> Nullable<BigInt>,
        block_id -> Nullable<Text>,
        block_time -> Nullable<Timestamptz>,
        fee_sun -> Nullable<BigInt>,
        energy_used -> Nullable<BigInt>,
        bandwidth_used -> Nullable<BigInt>,
        sends -> Integer,
        last_sent_at -> Nullable<Timestamptz>,
        last_code -> Nullable<Text>,
        last_message -> Nullable<Text>,
        death_cause -> Nullable<Text>,
        next_check_at -> Timestamptz,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        refused -> Bool,
    }
}

diesel::table! {
    cron_ticks (schedule, tick_at) {
        schedule -> Text,
        tick_at -> Timestamptz,
        claimed_by -> Text,
        claimed_at -> Timestamptz,
    }
}

diesel::table! {
    delegations (id) {
        id -> Uuid,
        order_id -> Uuid,
        wallet_id -> Uuid,
        network -> Text,
        receiver -> Text,
        energy -> BigInt,
        amount_sun -> BigInt,
        state -> Text,
        block_number -> Nullable<BigInt>,
        reclaim_block_number -> Nullable<BigInt>,
        active_at -> Nullable<Timestamptz>,
        ends_at -> Nullable<Timestamptz>,
        reclaimed_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        stray -> Bool,
        partial -> Bool,
    }
}

diesel::table! {
    deposit_account_keys (fingerprint) {
        fingerprint -> Text,
        master_key_id -> Integer,
        wrapped_data_key -> Bytea,
        ciphertext -> Bytea,
        created_at -> Timestamptz,
        rewrapped_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    deposit_addresses (id) {
        id -> Uuid,
        network -> Text,
        address -> Text,
        kind -> Text,
        user_id -> Nullable<BigInt>,
        key_fingerprint -> Nullable<Text>,
        derivation_index -> Nullable<BigInt>,
        retired_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    deposit_orders (deposit_id) {
        deposit_id -> Uuid,
        receiver -> Text,
        energy -> BigInt,
        duration_s -> Integer,
        price_sun -> BigInt,
        price_version_id -> Uuid,
        state -> Text,
        order_id -> Nullable<Uuid>,
        reason_code -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    deposits (id) {
        id -> Uuid,
        user_id -> BigInt,
        api_key_id -> Uuid,
        network -> Text,
        asset -> Text,
        way -> Text,
        address_id -> Uuid,
        amount -> Nullable<BigInt>,
        code -> Text,
        state -> Text,
        received -> BigInt,
        expires_at -> Timestamptz,
        amount_held_until -> Timestamptz,
        amount_released_at -> Nullable<Timestamptz>,
        paid_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    events (id) {
        id -> Uuid,
        event_type -> Text,
        subject_kind -> Text,
        subject_id -> Text,
        user_id -> Nullable<BigInt>,
        data -> Jsonb,
        created_at -> Timestamptz,
        xact -> BigInt,
        place -> BigInt,
    }
}

diesel::table! {
    events_gone (id) {
        id -> Bool,
        xact -> BigInt,
    }
}

diesel::table! {
    exchanges (id) {
        id -> Uuid,
        user_id -> BigInt,
        usdt_micro -> BigInt,
        cause -> Text,
        transfer_id -> Nullable<Uuid>,
        requested_by -> Text,
        state -> Text,
        rate_id -> Nullable<Uuid>,
        rate_sun_per_usdt -> Nullable<BigInt>,
        fee_bp -> Nullable<Integer>,
        net_sun_per_usdt -> Nullable<BigInt>,
        sun -> Nullable<BigInt>,
        reason_code -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    findings (id) {
        id -> Uuid,
        kind -> Text,
        severity -> Text,
        subject -> Text,
        detail -> Jsonb,
        action -> Text,
        times_seen -> Integer,
        first_seen_at -> Timestamptz,
        last_seen_at -> Timestamptz,
        resolved_at -> Nullable<Timestamptz>,
        resolved_by -> Nullable<Text>,
        metric -> Text,
        resolved_reason -> Nullable<Text>,
        action_zh -> Nullable<Text>,
    }
}

diesel::table! {
    idempotency_keys (api_key_id, key) {
        api_key_id -> Uuid,
        key -> Text,
        request_sha256 -> Bytea,
        resource_kind -> Text,
        resource_id -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    incoming_transfers (id) {
        id -> Uuid,
        network -> Text,
        txid -> Text,
        log_index -> Integer,
        block_number -> BigInt,
        block_id -> Text,
        block_time -> Timestamptz,
        place -> Integer,
        token -> Nullable<Text>,
        from_address -> Text,
        to_address -> Text,
        address_id -> Nullable<Uuid>,
        amount -> Numeric,
        memo -> Nullable<Text>,
        state -> Text,
        kind -> Nullable<Text>,
        deposit_id -> Nullable<Uuid>,
        user_id -> Nullable<BigInt>,
        asset -> Nullable<Text>,
        credited -> Nullable<BigInt>,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Timestamptz>,
        reason -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        swept_by -> Nullable<Uuid>,
    }
}

diesel::table! {
    jobs (kind, object_id) {
        kind -> Text,
        object_id -> Text,
        queue -> Text,
        generation -> Integer,
        request -> Integer,
        runs -> Integer,
        state -> Text,
        next_run_at -> Timestamptz,
        pushed_at -> Nullable<Timestamptz>,
        started_at -> Nullable<Timestamptz>,
        last_error_code -> Nullable<Text>,
        last_error -> Nullable<Text>,
        dead_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    ledger_accounts (code) {
        code -> Text,
        user_id -> Nullable<BigInt>,
        asset -> Text,
        balance -> Nullable<BigInt>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    ledger_checkpoints (account) {
        account -> Text,
        debits -> Numeric,
        credits -> Numeric,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    ledger_transfers (event) {
        event -> Text,
        debit_account -> Text,
        credit_account -> Text,
        asset -> Text,
        amount -> BigInt,
        reason -> Text,
        order_id -> Nullable<Uuid>,
        actor -> Nullable<Text>,
        note -> Nullable<Text>,
        created_at -> Timestamptz,
        payout_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    master_keys (id) {
        id -> Integer,
        derivation -> Jsonb,
        check_value -> Bytea,
        created_at -> Timestamptz,
        retired_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    operator_actions (id) {
        id -> Uuid,
        at -> Timestamptz,
        actor -> Text,
        actor_name -> Text,
        action -> Text,
        filter -> Jsonb,
        reason -> Nullable<Text>,
        matched -> BigInt,
        affected -> BigInt,
        objects -> Jsonb,
    }
}

diesel::table! {
    operator_makers (operator_id, maker_id) {
        operator_id -> Uuid,
        maker_id -> Uuid,
        since -> Timestamptz,
    }
}

diesel::table! {
    operator_sessions (id) {
        id -> Uuid,
        operator_id -> Uuid,
        generation -> Integer,
        rotated_at -> Timestamptz,
        created_at -> Timestamptz,
        last_used_at -> Timestamptz,
        expires_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        ended_why -> Nullable<Text>,
        address -> Nullable<Text>,
        agent -> Nullable<Text>,
    }
}

diesel::table! {
    operators (id) {
        id -> Uuid,
        email -> Text,
        name -> Text,
        password_hash -> Text,
        password_set_at -> Timestamptz,
        must_change_password -> Bool,
        totp_sealed -> Nullable<Bytea>,
        totp_pending -> Nullable<Bytea>,
        totp_last_step -> Nullable<BigInt>,
        failures -> Integer,
        locked_until -> Nullable<Timestamptz>,
        roles -> Array<Text>,
        disabled_at -> Nullable<Timestamptz>,
        last_sign_in_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        created_by -> Text,
    }
}

diesel::table! {
    order_events (id) {
        id -> BigInt,
        order_id -> Uuid,
        at -> Timestamptz,
        event -> Text,
        state -> Text,
        actor -> Text,
        detail -> Jsonb,
    }
}

diesel::table! {
    order_extensions (id) {
        id -> Uuid,
        order_id -> Uuid,
        api_key_id -> Uuid,
        duration_s -> Integer,
        price_sun -> BigInt,
        price_version_id -> Uuid,
        ends_at_before -> Timestamptz,
        ends_at -> Timestamptz,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    orders (id) {
        id -> Uuid,
        user_id -> BigInt,
        api_key_id -> Uuid,
        network -> Text,
        receiver -> Text,
        energy -> BigInt,
        duration_s -> Integer,
        price_sun -> BigInt,
        price_version_id -> Uuid,
        state -> Text,
        attempts -> Integer,
        deadline_at -> Timestamptz,
        reason_code -> Nullable<Text>,
        completed_at -> Nullable<Timestamptz>,
        ends_at -> Nullable<Timestamptz>,
        settled_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    payout_addresses (user_id, address) {
        user_id -> BigInt,
        address -> Text,
        label -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    payout_events (id) {
        id -> BigInt,
        payout_id -> Uuid,
        at -> Timestamptz,
        event -> Text,
        state -> Text,
        actor -> Text,
        detail -> Jsonb,
    }
}

diesel::table! {
    payouts (id) {
        id -> Uuid,
        user_id -> BigInt,
        network -> Text,
        asset -> Text,
        amount -> BigInt,
        to_address -> Text,
        state -> Text,
        needs_approval -> Bool,
        requested_by -> Text,
        approved_by -> Nullable<Text>,
        approved_at -> Nullable<Timestamptz>,
        attempts -> Integer,
        reason_code -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    price_bands (version_id, energy_min, duration_min_s) {
        version_id -> Uuid,
        energy_min -> BigInt,
        energy_max -> BigInt,
        duration_min_s -> Integer,
        duration_max_s -> Integer,
        price_millisun_per_energy -> BigInt,
    }
}

diesel::table! {
    price_quotes (id) {
        id -> Uuid,
        api_key_id -> Uuid,
        energy -> BigInt,
        duration_s -> Integer,
        price_sun -> BigInt,
        price_version_id -> Uuid,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        order_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    price_versions (id) {
        id -> Uuid,
        note -> Text,
        actor -> Text,
        published_at -> Timestamptz,
    }
}

diesel::table! {
    rates (id) {
        id -> Uuid,
        at -> Timestamptz,
        kind -> Text,
        sun_per_usdt -> Nullable<BigInt>,
        refused_as -> Nullable<Text>,
        answers -> Jsonb,
        ends_at -> Nullable<Timestamptz>,
        actor -> Nullable<Text>,
        note -> Nullable<Text>,
    }
}

diesel::table! {
    receiver_checks (network, address) {
        network -> Text,
        address -> Text,
        verdict -> Text,
        checked_at -> Timestamptz,
    }
}

diesel::table! {
    rentals (transfer_id) {
        transfer_id -> Uuid,
        user_id -> BigInt,
        api_key_id -> Uuid,
        sender -> Text,
        amount_sun -> BigInt,
        receiver -> Nullable<Text>,
        energy -> Nullable<BigInt>,
        duration_s -> Nullable<Integer>,
        state -> Text,
        order_id -> Nullable<Uuid>,
        payout_id -> Nullable<Uuid>,
        reason_code -> Nullable<Text>,
        held_code -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    roles (name) {
        name -> Text,
        title -> Text,
        permissions -> Array<Text>,
        updated_at -> Timestamptz,
        updated_by -> Text,
    }
}

diesel::table! {
    setting_versions (version) {
        version -> BigInt,
        id -> Uuid,
        overrides -> Jsonb,
        since -> Jsonb,
        author -> Text,
        author_name -> Text,
        reason -> Text,
        restored -> Nullable<BigInt>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    staking_events (id) {
        id -> BigInt,
        staking_id -> Uuid,
        at -> Timestamptz,
        event -> Text,
        state -> Text,
        actor -> Text,
        detail -> Jsonb,
    }
}

diesel::table! {
    stakings (id) {
        id -> Uuid,
        network -> Text,
        wallet_id -> Uuid,
        action -> Text,
        resource -> Nullable<Text>,
        amount_sun -> Nullable<BigInt>,
        state -> Text,
        source -> Text,
        requested_by -> Text,
        reason -> Text,
        attempts -> Integer,
        moved_sun -> Nullable<BigInt>,
        block_number -> Nullable<BigInt>,
        reason_code -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    standing_order_orders (standing_order_id, turn) {
        standing_order_id -> Uuid,
        turn -> Integer,
        order_id -> Uuid,
    }
}

diesel::table! {
    standing_orders (id) {
        id -> Uuid,
        user_id -> BigInt,
        api_key_id -> Uuid,
        network -> Text,
        receiver -> Text,
        keep_energy -> BigInt,
        duration_s -> Integer,
        budget_sun -> BigInt,
        until -> Timestamptz,
        state -> Text,
        end_code -> Nullable<Text>,
        held_code -> Nullable<Text>,
        seen_energy -> Nullable<BigInt>,
        seen_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    stock_holds (quote_id, wallet_id) {
        quote_id -> Uuid,
        wallet_id -> Uuid,
        amount_sun -> BigInt,
    }
}

diesel::table! {
    supplier_wallets (id) {
        id -> Uuid,
        address -> Nullable<Text>,
        label -> Nullable<Text>,
        state -> Text,
        rejected_reason -> Nullable<Text>,
        enabled -> Bool,
        isolated_at -> Nullable<Timestamptz>,
        isolated_reason -> Nullable<Text>,
        failures -> Integer,
        permission_id -> Integer,
        last_timestamp_ms -> BigInt,
        balance_sun -> BigInt,
        staked_energy_sun -> BigInt,
        staked_bandwidth_sun -> BigInt,
        delegated_energy_sun -> BigInt,
        delegatable_sun -> BigInt,
        bandwidth_available -> BigInt,
        synced_block -> BigInt,
        synced_at -> Nullable<Timestamptz>,
        reserved_sun -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        purpose -> Text,
        usdt_micro -> BigInt,
        deposit_address_id -> Nullable<Uuid>,
        unfreezing -> Jsonb,
        first_failed_at -> Nullable<Timestamptz>,
        probation_at -> Nullable<Timestamptz>,
        probations -> Integer,
        key_address -> Nullable<Text>,
        key_generation -> Integer,
    }
}

diesel::table! {
    sweep_events (id) {
        id -> BigInt,
        sweep_id -> Uuid,
        at -> Timestamptz,
        event -> Text,
        state -> Text,
        actor -> Text,
        detail -> Jsonb,
    }
}

diesel::table! {
    sweeps (id) {
        id -> Uuid,
        network -> Text,
        asset -> Text,
        wallet_id -> Uuid,
        state -> Text,
        amount -> Nullable<BigInt>,
        to_address -> Nullable<Text>,
        read_block -> Nullable<BigInt>,
        attempts -> Integer,
        activation_sun -> Nullable<BigInt>,
        order_id -> Nullable<Uuid>,
        energy_failures -> Integer,
        reason_code -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        left_minor -> BigInt,
    }
}

diesel::table! {
    switches (name) {
        name -> Text,
        enabled -> Bool,
        reason -> Text,
        actor -> Text,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    transfer_proposals (id) {
        id -> Uuid,
        transfer_id -> Uuid,
        ruling -> Text,
        user_id -> Nullable<BigInt>,
        deposit_id -> Nullable<Uuid>,
        proposed_by -> Text,
        reason -> Text,
        proposed_at -> Timestamptz,
        state -> Text,
        agreed_by -> Nullable<Text>,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    user_wallets (user_id, address) {
        user_id -> BigInt,
        address -> Text,
        label -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        blocked_at -> Nullable<Timestamptz>,
        blocked_reason -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    wallet_baselines (wallet_id, network) {
        wallet_id -> Uuid,
        network -> Text,
        coin_sun -> BigInt,
        energy_sun -> BigInt,
        bandwidth_sun -> BigInt,
        block -> BigInt,
        short_since -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    wallet_comparisons (network, wallet_id) {
        network -> Text,
        wallet_id -> Uuid,
        after_receiver -> Nullable<Text>,
        finished_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    wallet_imports (wallet_id) {
        wallet_id -> Uuid,
        sealed -> Bytea,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    wallet_key_replacements (id) {
        id -> Uuid,
        wallet_id -> Uuid,
        state -> Text,
        sealed -> Nullable<Bytea>,
        permission_id -> Integer,
        requested_by -> Text,
        reason -> Text,
        old_key_address -> Nullable<Text>,
        old_permission_id -> Nullable<Integer>,
        new_key_address -> Nullable<Text>,
        rejected_reason -> Nullable<Text>,
        created_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    wallet_keys (wallet_id) {
        wallet_id -> Uuid,
        master_key_id -> Integer,
        wrapped_data_key -> Bytea,
        ciphertext -> Bytea,
        created_at -> Timestamptz,
        rewrapped_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    wallet_permissions (wallet_id, network) {
        wallet_id -> Uuid,
        network -> Text,
        read_at -> Timestamptz,
        as_of_block -> BigInt,
        key_address -> Text,
        permission_id -> Integer,
        permission_name -> Nullable<Text>,
        threshold -> BigInt,
        weight -> BigInt,
        operations -> Nullable<Text>,
        can -> Jsonb,
        lacks -> Jsonb,
        moves_money -> Jsonb,
        signs_alone -> Bool,
        problem -> Nullable<Text>,
    }
}

diesel::table! {
    wallet_snapshots (wallet_id, network, read_at) {
        wallet_id -> Uuid,
        network -> Text,
        read_at -> Timestamptz,
        block -> BigInt,
        balance_sun -> BigInt,
        staked_energy_sun -> BigInt,
        staked_bandwidth_sun -> BigInt,
        delegated_energy_sun -> BigInt,
        delegatable_sun -> BigInt,
        unfreezing_sun -> BigInt,
        unfrozen_sun -> BigInt,
        energy_limit -> BigInt,
        energy_used -> BigInt,
        bandwidth_limit -> BigInt,
        bandwidth_used -> BigInt,
        free_bandwidth_limit -> BigInt,
        free_bandwidth_used -> BigInt,
    }
}

diesel::table! {
    webhook_attempts (id) {
        id -> BigInt,
        endpoint_id -> Uuid,
        event_id -> Uuid,
        at -> Timestamptz,
        status -> Nullable<Integer>,
        answer -> Nullable<Text>,
        error -> Nullable<Text>,
        duration_ms -> Integer,
    }
}

diesel::table! {
    webhook_deliveries (endpoint_id, event_id) {
        endpoint_id -> Uuid,
        event_id -> Uuid,
        event_type -> Text,
        state -> Text,
        attempts -> Integer,
        next_attempt_at -> Timestamptz,
        delivered_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    webhook_endpoints (id) {
        id -> Uuid,
        url -> Text,
        description -> Nullable<Text>,
        event_types -> Array<Text>,
        enabled -> Bool,
        disabled_reason -> Nullable<Text>,
        created_by -> Text,
        failing_since -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    webhook_secrets (id) {
        id -> Uuid,
        endpoint_id -> Uuid,
        sealed -> Bytea,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    api_key_former_secrets,
    api_key_holders,
    api_key_spending,
    api_keys,
    approvals,
    audit_inbox,
    audit_trail,
    blocks,
    chain_cursors,
    chain_transactions,
    cron_ticks,
    delegations,
    deposit_account_keys,
    deposit_addresses,
    deposit_orders,
    deposits,
    events,
    events_gone,
    exchanges,
    findings,
    idempotency_keys,
    incoming_transfers,
    jobs,
    ledger_accounts,
    ledger_checkpoints,
    ledger_transfers,
    master_keys,
    operator_actions,
    operator_makers,
    operator_sessions,
    operators,
    order_events,
    order_extensions,
    orders,
    payout_addresses,
    payout_events,
    payouts,
    price_bands,
    price_quotes,
    price_versions,
    rates,
    receiver_checks,
    rentals,
    roles,
    setting_versions,
    staking_events,
    stakings,
    standing_order_orders,
    standing_orders,
    stock_holds,
    supplier_wallets,
    sweep_events,
    sweeps,
    switches,
    transfer_proposals,
    user_wallets,
    users,
    wallet_baselines,
    wallet_comparisons,
    wallet_imports,
    wallet_key_replacements,
    wallet_keys,
    wallet_permissions,
    wallet_snapshots,
    webhook_attempts,
    webhook_deliveries,
    webhook_endpoints,
    webhook_secrets,
);

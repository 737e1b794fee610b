//! Tables of facts and steps.

use super::*;

const TRX: i64 = 1_000_000;

const RULES: SweepRules = SweepRules {
    trx_threshold_sun: 20 * TRX,
    usdt_threshold_micro: 10 * TRX,
    reserve_sun: 0,
    burn_bandwidth: false,
    energy_margin_bps: 300,
    energy_min: 32_000,
};

const fn holding(minor: i64, bandwidth: i64) -> Holding {
    Holding { minor, bandwidth }
}

const fn send(amount: i64, fee_limit_sun: i64) -> SweepStep {
    SweepStep::Send { amount, fee_limit_sun }
}

#[test]
fn coin_is_sent_but_for_the_reserve_and_for_free() {
    let kept = SweepRules {
        reserve_sun: 2 * TRX,
        ..RULES
    };
    let burns = SweepRules {
        burn_bandwidth: true,
        ..RULES
    };
    let all_stays = SweepRules {
        reserve_sun: 20 * TRX,
        ..RULES
    };
    let below = SweepStep::Cancel("below_threshold");
    let short = SweepStep::Wait("bandwidth_short");
    for (holding, rules, step) in [
        (holding(20 * TRX, 600), RULES, send(20 * TRX, 0)),
        (holding(20 * TRX - 1, 600), RULES, below),
        (holding(0, 600), RULES, below),
        (holding(22 * TRX, 600), kept, send(20 * TRX, 0)),
        (holding(22 * TRX - 1, 600), kept, send(20 * TRX - 1, 0)),
        (holding(20 * TRX - 1, 600), kept, below),
        (holding(30 * TRX, 299), RULES, short),
        (holding(30 * TRX, 0), burns, send(30 * TRX - 300_000, 0)),
        (holding(20 * TRX, 0), burns, send(20 * TRX - 300_000, 0)),
        (holding(20 * TRX, 0), RULES, short),
        (holding(20 * TRX, 600), all_stays, SweepStep::Wait("reserve_only")),
    ] {
        assert_eq!(decide_coin(holding, &rules), step, "{holding:?}");
    }
    let nothing = SweepRules {
        trx_threshold_sun: 0,
        ..RULES
    };
    assert_eq!(decide_coin(holding(0, 600), &nothing), below, "nothing is not sent");
}

#[test]
fn a_token_is_sent_by_energy_that_is_there_and_its_limit_pays_for_no_more() {
    let facts = TokenFacts {
        energy_available: 68_000,
        energy_needed: 64_285,
        energy_price_sun: 100,
        rented: true,
    };
    let wanted = energy_wanted(64_285, &RULES);
    assert_eq!(wanted, 66_214, "three per cent more, rounded up");
    assert_eq!(energy_wanted(1_000, &RULES), 32_000);
    let has = holding(15 * TRX, 600);
    assert_eq!(decide_token(has, &facts, &RULES), send(15 * TRX, 66_214 * 100));
    let drifted = TokenFacts {
        energy_available: 65_000,
        ..facts
    };
    assert_eq!(
        decide_token(has, &drifted, &RULES),
        send(15 * TRX, 65_000 * 100),
        "never worth more than is there"
    );
    let used = TokenFacts {
        energy_available: 64_284,
        ..facts
    };
    assert_eq!(decide_token(has, &used, &RULES), SweepStep::Wait("energy_short"));
    let none = TokenFacts { rented: false, ..facts };
    assert_eq!(decide_token(has, &none, &RULES), SweepStep::Rent { energy: wanted });
    assert_eq!(
        decide_token(holding(15 * TRX, 399), &none, &RULES),
        SweepStep::Wait("bandwidth_short"),
        "no energy is ordered for what cannot be sent"
    );
    for minor in [0, 10 * TRX - 1] {
        assert_eq!(
            decide_token(holding(minor, 600), &facts, &RULES),
            SweepStep::Cancel("below_threshold")
        );
    }
}

//! Every case by name, and what holds for whatever comes.

use std::collections::HashSet;

use db::models::DepositWay;
use proptest::prelude::*;

use super::*;

const ANNA: UserId = UserId(7);
/// Whom rentals are credited to.
const HOUSE: UserId = UserId(-2);
const BORIS: i64 = 8;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_900_000_000 + seconds, 0).unwrap()
}

fn minor(minor: i64) -> Amount {
    Amount::from_minor(minor).unwrap()
}

/// An open deposit of 1,000, for sixty seconds, remembered for an hour more.
fn open(n: u128) -> Deposit {
    Deposit {
        id: Uuid::from_u128(n),
        user_id: ANNA.0,
        api_key_id: Uuid::nil(),
        network: "nile".into(),
        asset: "TRX".into(),
        way: DepositWay::Address,
        address_id: Uuid::nil(),
        amount: Some(1_000),
        code: format!("CODEABCD{n:0>2}").replace('0', "Z").replace('1', "Y"),
        state: DepositState::Open,
        received: 0,
        expires_at: at(60),
        amount_held_until: at(3_660),
        amount_released_at: None,
        paid_at: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn in_state(n: u128, state: DepositState, received: i64) -> Deposit {
    Deposit {
        state,
        received,
        paid_at: (state == DepositState::Paid).then(|| at(10)),
        ..open(n)
    }
}

/// What is announced on a shared address belongs to Boris.
fn shared(deposit: Deposit) -> Deposit {
    Deposit {
        user_id: BORIS,
        way: DepositWay::Amount,
        ..deposit
    }
}

fn own() -> Option<Destination> {
    Some(Destination {
        kind: AddressKind::User,
        user: Some(ANNA),
        retired: false,
    })
}

fn common() -> Option<Destination> {
    Some(Destination {
        kind: AddressKind::Shared,
        user: None,
        retired: false,
    })
}

/// So much TRX, ten seconds after the deposits were opened.
fn sent(amount: i64, to: Option<Destination>) -> Arrival<'static> {
    Arrival {
        asset: Some(Asset::Trx),
        amount: Some(minor(amount)),
        at: at(10),
        memo: None,
        to,
        sender_blocked: false,
        sender_is_ours: false,
        early: false,
        by_contract: false,
        dust_below: minor(100),
        rents_for: None,
    }
}

fn verdict(arrival: Arrival<'_>, announced: &[Deposit]) -> (TransferKind, Fate, Option<u128>) {
    let verdict = classify(&arrival, announced);
    (verdict.kind, verdict.fate, verdict.deposit.map(|id| id.as_u128()))
}

const ANNAS: Fate = Fate::Credit(ANNA);
const BORISES: Fate = Fate::Credit(UserId(BORIS));

#[test]
fn an_own_address_is_always_its_users() {
    use TransferKind::{Duplicate, Exact, Late, Over, Partial, Plain};
    let any = Deposit {
        amount: None,
        ..open(1)
    };
    let begun = || in_state(1, DepositState::Partial, 400);
    let expired = || in_state(1, DepositState::Expired, 0);
    let paid = || in_state(1, DepositState::Paid, 1_000);
    let cases = [
        ("nothing announced", sent(1_000, own()), vec![], (Plain, ANNAS, None)),
        ("all", sent(1_000, own()), vec![open(1)], (Exact, ANNAS, Some(1))),
        ("less", sent(999, own()), vec![open(1)], (Partial, ANNAS, Some(1))),
        ("more", sent(1_001, own()), vec![open(1)], (Over, ANNAS, Some(1))),
        ("the rest", sent(600, own()), vec![begun()], (Exact, ANNAS, Some(1))),
        (
            "some of the rest",
            sent(599, own()),
            vec![begun()],
            (Partial, ANNAS, Some(1)),
        ),
        (
            "more than the rest",
            sent(601, own()),
            vec![begun()],
            (Over, ANNAS, Some(1)),
        ),
        ("whatever comes", sent(777, own()), vec![any], (Exact, ANNAS, Some(1))),
        (
            "paid already",
            sent(1_000, own()),
            vec![paid()],
            (Duplicate, ANNAS, Some(1)),
        ),
        (
            "paid by another amount",
            sent(999, own()),
            vec![paid()],
            (Plain, ANNAS, None),
        ),
        (
            "expired, but in time",
            sent(1_000, own()),
            vec![expired()],
            (Exact, ANNAS, Some(1)),
        ),
    ];
    for (what, arrival, announced, expected) in cases {
        assert_eq!(verdict(arrival, &announced), expected, "{what}");
    }
    let later = |seconds, deposit: Deposit| {
        let arrival = Arrival {
            at: at(seconds),
            ..sent(1_000, own())
        };
        verdict(arrival, &[deposit])
    };
    assert_eq!(later(60, open(1)), (Exact, ANNAS, Some(1)), "the last moment");
    assert_eq!(later(61, open(1)), (Late, ANNAS, Some(1)), "not ended yet");
    assert_eq!(later(61, expired()), (Late, ANNAS, Some(1)));
    assert_eq!(later(3_661, expired()), (Plain, ANNAS, None), "forgotten");
    assert_eq!(later(3_661, paid()), (Plain, ANNAS, None));
}

#[test]
fn of_several_deposits_the_one_that_fits_best_is_meant() {
    let of = |n, amount| Deposit {
        amount: Some(amount),
        ..open(n)
    };
    let all = [of(3, 500), of(2, 1_000), of(1, 1_000)]; // newest first
    let which = |arrival| classify(&arrival, &all).deposit.map(|id| id.as_u128());
    assert_eq!(which(sent(500, own())), Some(3), "the one of this amount");
    assert_eq!(which(sent(1_000, own())), Some(1), "the oldest of them");
    assert_eq!(which(sent(700, own())), Some(1), "the oldest");
    let memo = all[1].code.to_lowercase();
    let named = Arrival {
        memo: Some(&memo),
        ..sent(500, own())
    };
    assert_eq!(which(named), Some(2), "the one that is named");
    let begun = [of(2, 1_000), in_state(1, DepositState::Partial, 100), of(0, 3_000)];
    assert_eq!(
        classify(&sent(700, own()), &begun).deposit,
        Some(begun[1].id),
        "the one that has begun"
    );
    let old = [
        in_state(2, DepositState::Paid, 1_000),
        in_state(1, DepositState::Expired, 0),
    ];
    let late = Arrival {
        at: at(90),
        ..sent(1_000, own())
    };
    assert_eq!(
        classify(&late, &old).deposit,
        Some(old[1].id),
        "one that is owed before one that is paid"
    );
}

#[test]
fn a_shared_address_needs_a_name() {
    use TransferKind::{Duplicate, Exact, Late, Over, Partial, Unmatched};
    let paid = || shared(in_state(1, DepositState::Paid, 1_000));
    let cases = [
        (
            "by its amount",
            sent(1_000, common()),
            shared(open(1)),
            (Exact, BORISES, Some(1)),
        ),
        (
            "another amount",
            sent(999, common()),
            shared(open(1)),
            (Unmatched, Fate::Hold, None),
        ),
        (
            "a second time",
            sent(1_000, common()),
            paid(),
            (Duplicate, Fate::Hold, None),
        ),
    ];
    for (what, arrival, announced, expected) in cases {
        assert_eq!(verdict(arrival, &[announced]), expected, "{what}");
    }
    let memo = format!("for {}, thank you", open(1).code);
    let named = |amount, deposit| {
        let arrival = Arrival {
            memo: Some(&memo),
            ..sent(amount, common())
        };
        verdict(arrival, &[deposit])
    };
    assert_eq!(named(999, shared(open(1))), (Partial, BORISES, Some(1)));
    assert_eq!(named(1_001, shared(open(1))), (Over, BORISES, Some(1)));
    assert_eq!(named(1_000, paid()), (Duplicate, BORISES, Some(1)));
    assert_eq!(
        named(1_000, shared(open(2))),
        (Exact, BORISES, Some(2)),
        "the amount, where the memo names nobody"
    );
    let late = Arrival {
        at: at(100),
        ..sent(1_000, common())
    };
    let expired = shared(in_state(1, DepositState::Expired, 0));
    assert_eq!(verdict(late, std::slice::from_ref(&expired)), (Late, BORISES, Some(1)));
    let forgotten = Arrival { at: at(4_000), ..late };
    assert_eq!(verdict(forgotten, &[expired]), (Unmatched, Fate::Hold, None));
}

#[test]
fn an_amount_speaks_for_who_was_asked_for_it_when_it_was_paid() {
    use TransferKind::{Exact, Unmatched};
    let paid = |seconds, announced: &[Deposit]| {
        let arrival = Arrival {
            at: at(seconds),
            ..sent(1_000, common())
        };
        verdict(arrival, announced)
    };
    let since = |n, seconds: i64| Deposit {
        expires_at: at(seconds + 60),
        amount_held_until: at(seconds + 3_660),
        created_at: at(seconds),
        ..shared(open(n))
    };
    let unknown = (Unmatched, Fate::Hold, None);
    let later = [since(2, 5_000)];
    assert_eq!(paid(5_000, &later), (Exact, BORISES, Some(2)));
    assert_eq!(paid(4_940, &later), (Exact, BORISES, Some(2)), "by another clock");
    assert_eq!(paid(4_939, &later), unknown, "nobody had been asked");
    // the first let go of the amount, and the second was asked for it
    let first = Deposit {
        state: DepositState::Expired,
        amount_released_at: Some(at(4_990)),
        ..since(1, 0)
    };
    let both = [since(2, 5_000), first.clone()];
    assert_eq!(paid(10, &both), (Exact, BORISES, Some(1)), "known late");
    assert_eq!(paid(5_010, &both), (Exact, BORISES, Some(2)));
    assert_eq!(paid(4_000, &both), unknown, "between the two");
    let close = [since(2, 3_700), first];
    assert_eq!(paid(3_650, &close), unknown, "either may have paid");
}

/// Coin at the published address, where it buys energy.
fn selling() -> Arrival<'static> {
    let published = Some(Destination {
        kind: AddressKind::Rental,
        user: None,
        retired: false,
    });
    Arrival {
        rents_for: Some(HOUSE),
        ..sent(1_000, published)
    }
}

fn blocked() -> Arrival<'static> {
    Arrival {
        sender_blocked: true,
        ..sent(1_000, own())
    }
}

fn internal() -> Arrival<'static> {
    Arrival {
        sender_is_ours: true,
        ..sent(1_000, own())
    }
}

#[test]
fn what_a_contract_sent_on_waits_for_an_operator_whoever_it_seems_to_be_for() {
    use TransferKind::{BlockedSender, ByContract, Dust, Internal, RetiredAddress};
    let passed_on = |arrival: Arrival<'static>| Arrival {
        by_contract: true,
        ..arrival
    };
    for arrival in [sent(1_000, own()), sent(1_000, common()), selling()] {
        let announced = [shared(open(1))];
        assert_eq!(
            verdict(passed_on(arrival), &announced),
            (ByContract, Fate::Hold, None),
            "{arrival:?}"
        );
    }
    let retired = own().map(|own| Destination { retired: true, ..own });
    assert_eq!(verdict(passed_on(sent(99, own())), &[]), (Dust, Fate::Ignore, None));
    assert_eq!(verdict(passed_on(blocked()), &[]), (BlockedSender, Fate::Hold, None));
    assert_eq!(verdict(passed_on(internal()), &[]), (Internal, Fate::Ignore, None));
    assert_eq!(
        verdict(passed_on(sent(1_000, retired)), &[]),
        (RetiredAddress, Fate::Hold, None)
    );
}

#[test]
fn what_is_older_than_its_address_is_held_whoever_it_seems_to_be_for() {
    use TransferKind::{BlockedSender, Dust, Internal, Unmatched};
    let early = |arrival: Arrival<'static>| Arrival { early: true, ..arrival };
    for arrival in [sent(1_000, own()), sent(50, own()), sent(1_000, common()), selling()] {
        let announced = match arrival.to.map(|to| to.kind) {
            Some(AddressKind::Shared) => shared(open(1)),
            _ => in_state(1, DepositState::Partial, 950),
        };
        let credited = verdict(arrival, std::slice::from_ref(&announced));
        assert!(matches!(credited.1, Fate::Credit(_)), "{credited:?}");
        assert_eq!(
            verdict(early(arrival), &[announced]),
            (Unmatched, Fate::Hold, None),
            "{arrival:?}"
        );
    }
    assert_eq!(verdict(early(sent(99, own())), &[]), (Dust, Fate::Ignore, None));
    assert_eq!(verdict(early(blocked()), &[]), (BlockedSender, Fate::Hold, None));
    assert_eq!(verdict(early(internal()), &[]), (Internal, Fate::Ignore, None));
}

#[test]
fn what_is_no_money_or_not_to_be_taken_is_nobodys() {
    use TransferKind::{BlockedSender, Dust, Exact, Internal, RetiredAddress, TooLarge, UnknownAddress, WrongToken};
    let retired = own().map(|own| Destination { retired: true, ..own });
    let fake = |to| Arrival {
        asset: None,
        ..sent(1_000, to)
    };
    let huge = Arrival {
        amount: None,
        ..sent(1_000, own())
    };
    let blocked = |amount, to| Arrival {
        sender_blocked: true,
        ..sent(amount, to)
    };
    let internal = |arrival: Arrival<'static>| Arrival {
        sender_is_ours: true,
        ..arrival
    };
    let cases = [
        (internal(sent(1_000, own())), Internal, Fate::Ignore),
        (internal(sent(1, own())), Internal, Fate::Ignore),
        (internal(sent(1_000, common())), Internal, Fate::Ignore),
        (internal(sent(1_000, retired)), Internal, Fate::Ignore),
        (internal(fake(own())), Internal, Fate::Ignore),
        (internal(huge), Internal, Fate::Ignore),
        (internal(sent(1_000, None)), UnknownAddress, Fate::Ignore),
        (sent(1_000, None), UnknownAddress, Fate::Ignore),
        (fake(None), UnknownAddress, Fate::Ignore),
        (fake(own()), WrongToken, Fate::Ignore),
        (fake(common()), WrongToken, Fate::Ignore),
        (huge, TooLarge, Fate::Hold),
        (sent(99, own()), Dust, Fate::Ignore),
        (sent(99, retired), Dust, Fate::Ignore),
        (sent(1_000, retired), RetiredAddress, Fate::Hold),
        (blocked(1_000, own()), BlockedSender, Fate::Hold),
        (blocked(1_000, common()), BlockedSender, Fate::Hold),
        (blocked(99, own()), Dust, Fate::Ignore),
    ];
    for (arrival, kind, fate) in cases {
        assert_eq!(verdict(arrival, &[open(1)]), (kind, fate, None), "{arrival:?}");
    }
    let nearly = in_state(1, DepositState::Partial, 950);
    assert_eq!(
        verdict(sent(50, own()), &[nearly]),
        (Exact, ANNAS, Some(1)),
        "little, and all that was missing"
    );
    let any = Deposit {
        amount: None,
        ..open(1)
    };
    assert_eq!(verdict(sent(50, own()), &[any]), (Dust, Fate::Ignore, None));
}

#[test]
fn coin_to_the_published_address_goes_to_the_houses_own_customer_while_energy_is_sold_there() {
    let at_it = |retired| {
        Some(Destination {
            kind: AddressKind::Rental,
            user: None,
            retired,
        })
    };
    let selling = |to| Arrival {
        rents_for: Some(HOUSE),
        ..sent(1_000, to)
    };
    let unmatched = (TransferKind::Unmatched, Fate::Hold, None);
    assert_eq!(verdict(sent(1_000, at_it(false)), &[open(1)]), unmatched);
    assert_eq!(
        verdict(selling(at_it(false)), &[]),
        (TransferKind::Rental, Fate::Credit(HOUSE), None)
    );
    let token = Arrival {
        asset: Some(Asset::Usdt),
        ..selling(at_it(false))
    };
    assert_eq!(verdict(token, &[]), unmatched);
    assert_eq!(
        verdict(selling(at_it(true)), &[]),
        (TransferKind::RetiredAddress, Fate::Hold, None)
    );
}

#[test]
fn codes_are_found_in_whatever_was_written() {
    assert_eq!(codes(None), Vec::<String>::new());
    assert_eq!(codes(Some("")), Vec::<String>::new());
    assert_eq!(codes(Some("abcdefgh23")), ["ABCDEFGH23"]);
    assert_eq!(codes(Some("订单#ABCDEFGH23/x")), ["ABCDEFGH23"]);
    assert_eq!(codes(Some("ABCDEFGH234")), Vec::<String>::new());
}

#[test]
fn a_deposit_is_paid_once_all_of_it_came() {
    use DepositState::{Expired, Open, Paid, Partial};
    let after = |state, received, amount| after(&in_state(1, state, received), minor(amount));
    assert_eq!(after(Open, 0, 999), Some((Partial, 999)));
    assert_eq!(after(Open, 0, 1_000), Some((Paid, 1_000)));
    assert_eq!(after(Partial, 999, 1), Some((Paid, 1_000)));
    assert_eq!(after(Partial, 1, 1), Some((Partial, 2)));
    assert_eq!(after(Expired, 0, 999), Some((Expired, 999)));
    assert_eq!(after(Expired, 999, 1), Some((Paid, 1_000)));
    assert_eq!(after(Paid, 1_000, 1_000), Some((Paid, 2_000)));
    assert_eq!(after(Paid, i64::MAX, 1), None);
}

fn state() -> impl Strategy<Value = DepositState> {
    prop::sample::select(DepositState::ALL.to_vec())
}

fn deposit() -> impl Strategy<Value = Deposit> {
    let amount = prop::option::of(1_i64..2_000);
    (
        1_u128..50,
        state(),
        0_i64..2_000,
        amount,
        any::<bool>(),
        0_i64..200,
        0_i64..200,
    )
        .prop_map(|(n, state, received, amount, of_boris, expires, held)| Deposit {
            amount,
            user_id: if of_boris { BORIS } else { ANNA.0 },
            expires_at: at(expires),
            amount_held_until: at(expires + held),
            ..in_state(n, state, received)
        })
}

/// A few deposits, each with an id and a code of its own, as the database keeps them.
fn announced() -> impl Strategy<Value = Vec<Deposit>> {
    prop::collection::vec(deposit(), 0..6).prop_map(|deposits| {
        let mut ids = HashSet::new();
        deposits.into_iter().filter(|deposit| ids.insert(deposit.id)).collect()
    })
}

fn destination() -> impl Strategy<Value = Option<Destination>> {
    let kind = prop::sample::select(AddressKind::ALL.to_vec());
    let some = (kind, any::<bool>()).prop_map(|(kind, retired)| Destination {
        kind,
        user: (kind == AddressKind::User).then_some(ANNA),
        retired,
    });
    prop::option::of(some)
}

proptest! {
    #[test]
    fn money_goes_to_its_owner_or_to_nobody(
        to in destination(),
        announced in announced(),
        amount in prop::option::of(1_i64..2_000),
        money in any::<bool>(),
        seconds in 0_i64..500,
        memo in prop::option::of(1_u128..50),
        sender_blocked in any::<bool>(),
        sender_is_ours in any::<bool>(),
        dust in 0_i64..200,
        (rents, early, by_contract) in any::<(bool, bool, bool)>(),
    ) {
        let memo = memo.map(|n| open(n).code);
        let arrival = Arrival {
            asset: money.then_some(Asset::Trx),
            amount: amount.map(minor),
            at: at(seconds),
            memo: memo.as_deref(),
            to,
            sender_blocked,
            sender_is_ours,
            early,
            by_contract,
            dust_below: minor(dust),
            rents_for: rents.then_some(HOUSE),
        };
        let verdict = classify(&arrival, &announced);
        prop_assert_eq!(verdict, classify(&arrival, &announced));
        let named = announced.iter().find(|deposit| Some(deposit.id) == verdict.deposit);
        prop_assert_eq!(named.is_some(), verdict.deposit.is_some());
        match verdict.fate {
            Fate::Credit(user) => {
                let (to, amount) = (to.unwrap(), amount.unwrap());
                prop_assert!(money && !early && !by_contract && !sender_is_ours && !sender_blocked && !to.retired);
                prop_assert!(amount >= dust || verdict.kind == TransferKind::Exact);
                match to.kind {
                    AddressKind::User => prop_assert_eq!(user, ANNA),
                    AddressKind::Rental => {
                        prop_assert!(rents && named.is_none());
                        prop_assert_eq!((user, verdict.kind), (HOUSE, TransferKind::Rental));
                    }
                    // a stranger's money goes only to whom the amount or the memo names
                    _ => {
                        let named = named.unwrap();
                        prop_assert_eq!(user.0, named.user_id);
                        prop_assert!(named.amount == Some(amount) || memo.as_ref() == Some(&named.code));
                    }
                }
                if let Some(named) = named {
                    let late = at(seconds) > named.expires_at;
                    match verdict.kind {
                        TransferKind::Duplicate => prop_assert_eq!(named.state, DepositState::Paid),
                        TransferKind::Late => prop_assert!(late && named.state != DepositState::Paid),
                        TransferKind::Exact | TransferKind::Partial | TransferKind::Over => {
                            prop_assert!(!late && named.state != DepositState::Paid);
                        }
                        other => prop_assert!(false, "{other} for a deposit"),
                    }
                } else if to.kind != AddressKind::Rental {
                    prop_assert_eq!(verdict.kind, TransferKind::Plain);
                }
            }
            Fate::Hold | Fate::Ignore => {
                prop_assert!(named.is_none());
                // an own address, good money from a good sender, in its time: never held
                let plain =
                    matches!(to, Some(to) if to.kind == AddressKind::User && !to.retired) && !early && !by_contract;
                let good = money && !sender_is_ours && !sender_blocked && amount.is_some_and(|amount| amount >= dust);
                prop_assert!(!(plain && good), "{verdict:?}");
            }
        }
    }

    #[test]
    fn however_it_comes_a_deposit_moves_along_its_arrows(
        amounts in prop::collection::vec((1_i64..2_000, any::<bool>()), 1..12),
        wanted in prop::option::of(1_i64..5_000),
    ) {
        let mut deposit = Deposit { amount: wanted, ..open(1) };
        for (amount, expire) in amounts {
            if expire && matches!(deposit.state, DepositState::Open | DepositState::Partial) {
                deposit.state = DepositState::Expired;
            }
            let (state, received) = after(&deposit, minor(amount)).unwrap();
            let arrow = format!("{}>{}", deposit.state, state);
            let arrows = ["open>partial", "open>paid", "partial>paid", "expired>paid"];
            prop_assert!(state == deposit.state || arrows.contains(&arrow.as_str()), "{arrow}");
            prop_assert_eq!(received, deposit.received + amount);
            let covered = wanted.is_none_or(|wanted| received >= wanted);
            prop_assert_eq!(state == DepositState::Paid, covered);
            (deposit.state, deposit.received) = (state, received);
        }
    }
}

#[test]
fn the_largest_amount_leaves_room_for_many() {
    assert!(LARGEST.minor() > 9_000_000_000_000_000);
    assert!(LARGEST.checked_add(LARGEST).is_some());
}

//! Every way in which a key can do too little or too much.

use chain::{Operations, PermissionKey};

use super::*;

fn address(n: u8) -> TronAddress {
    TronAddress::from_evm20([n; 20])
}

const ACCOUNT: u8 = 1;
const KEY: u8 = 7;

fn active(id: i32, numbers: &[u8], threshold: i64, keys: &[(u8, i64)]) -> Permission {
    let mut bits = [0_u8; 32];
    for number in numbers {
        bits[usize::from(number / 8)] |= 1 << (number % 8);
    }
    Permission {
        id,
        name: "active".to_owned(),
        threshold,
        keys: keys
            .iter()
            .map(|(n, weight)| PermissionKey {
                address: address(*n),
                weight: *weight,
            })
            .collect(),
        operations: Operations(bits),
    }
}

fn judged(actives: &[Permission], permission_id: i32, purpose: WalletPurpose) -> KeyPowers {
    let permissions = AccountPermissions {
        owner: None,
        actives: actives.to_vec(),
    };
    let key = if permission_id == 0 { ACCOUNT } else { KEY };
    judge(&permissions, (address(ACCOUNT), address(key)), permission_id, purpose)
}

#[test]
fn a_key_for_lending_alone_is_neither_too_weak_nor_too_strong() {
    let powers = judged(&[active(2, &[57, 58], 1, &[(KEY, 1)])], 2, WalletPurpose::Supply);
    assert_eq!((powers.problem(), powers.signs_alone, powers.weight), (None, true, 1));
    assert_eq!(powers.can, ["delegate", "undelegate"]);
    assert!(powers.moves_money.is_empty() && powers.beyond.is_empty());
}

#[test]
fn what_keeps_a_key_from_signing_is_told_in_this_order() {
    let lends = &[57, 58][..];
    let cases = [
        (active(3, lends, 1, &[(KEY, 1)]), Some(Problem::NoSuchPermission)),
        (active(2, lends, 1, &[(8, 1)]), Some(Problem::KeyNotNamed)),
        (active(2, lends, 2, &[(KEY, 1), (8, 1)]), Some(Problem::TooLight)),
        (active(2, &[57], 1, &[(KEY, 1)]), Some(Problem::NotAllowed)),
        (active(2, &[58], 1, &[(KEY, 1)]), Some(Problem::NotAllowed)),
        (active(2, lends, 2, &[(KEY, 2), (8, 1)]), None),
    ];
    for (permission, problem) in cases {
        let powers = judged(std::slice::from_ref(&permission), 2, WalletPurpose::Supply);
        assert_eq!(powers.problem(), problem, "{permission:?}");
    }
    let without_reclaim = judged(&[active(2, &[57], 1, &[(KEY, 1)])], 2, WalletPurpose::Supply);
    assert_eq!(without_reclaim.lacks, ["undelegate"]);
}

#[test]
fn a_key_moves_money_by_whichever_permission_names_it() {
    let lends = active(2, &[57, 58], 1, &[(KEY, 1)]);
    let of = |numbers: &[u8], threshold, keys: &[(u8, i64)]| {
        let other = active(3, numbers, threshold, keys);
        judged(&[lends.clone(), other], 2, WalletPurpose::Supply).beyond
    };
    assert_eq!(of(&[1], 1, &[(KEY, 1)]), ["transfer_trx"]);
    assert_eq!(of(&[31], 1, &[(KEY, 1)]), ["call_contracts"]);
    assert_eq!(of(&[46], 1, &[(KEY, 1)]), ["change_permissions"]);
    assert_eq!(of(&[44, 52], 1, &[(KEY, 1)]), ["trade_tokens"], "named once");
    assert!(of(&[1, 31, 46], 1, &[(8, 1)]).is_empty(), "another's");
    assert!(of(&[1], 2, &[(KEY, 1), (8, 1)]).is_empty(), "not alone");
    assert!(
        of(&[54, 55, 56, 59, 4, 13], 1, &[(KEY, 1)]).is_empty(),
        "stays in the account"
    );
}

#[test]
fn an_owners_key_can_do_everything() {
    let powers = judged(&[], 0, WalletPurpose::Supply);
    assert_eq!(powers.problem(), None);
    assert!(powers.moves_money.contains(&"transfer_trx") && powers.moves_money.contains(&"change_permissions"));
    assert_eq!(powers.can.len(), POWERS.len());
}

#[test]
fn an_owners_key_that_was_taken_out_of_the_owners_permission_cannot_sign() {
    let mut owner = active(0, &[], 1, &[(8, 1)]);
    owner.operations = Operations::EVERYTHING;
    let permissions = AccountPermissions {
        owner: Some(owner),
        actives: Vec::new(),
    };
    let own = (address(ACCOUNT), address(ACCOUNT));
    let powers = judge(&permissions, own, 0, WalletPurpose::Supply);
    assert_eq!(powers.problem(), Some(Problem::KeyNotNamed));
    assert!(powers.moves_money.is_empty());
}

#[test]
fn a_treasury_pays_and_may_do_no_more() {
    let of = |numbers: &[u8]| judged(&[active(2, numbers, 1, &[(KEY, 1)])], 2, WalletPurpose::Treasury);
    let pays = of(&[1, 31]);
    assert_eq!((pays.problem(), pays.beyond.len()), (None, 0));
    assert_eq!(of(&[57, 58]).lacks, ["transfer_trx", "call_contracts"]);
    assert_eq!(of(&[1, 31, 46]).beyond, ["change_permissions"]);
}

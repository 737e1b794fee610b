//! Changing who may sign, and signing by what was changed.

use tron::proto::{AccountPermissionUpdateContract, Permission, PermissionKey};

use super::{Net, TRX, bytes, delegate, transfer};
use crate::exec::Refusal;
use crate::wire::Op;

/// Delegating and undelegating alone.
fn lending() -> Vec<u8> {
    let mut map = vec![0; 32];
    map[7] = 0x06;
    map
}

fn permission(kind: i32, threshold: i64, keys: &[(u8, i64)]) -> Permission {
    Permission {
        kind,
        id: 0,
        name: if kind == 0 { "owner" } else { "lending" }.to_owned(),
        threshold,
        parent_id: 0,
        operations: if kind == 0 { Vec::new() } else { lending() },
        keys: keys
            .iter()
            .map(|(n, weight)| PermissionKey {
                address: bytes(*n),
                weight: *weight,
            })
            .collect(),
    }
}

fn update() -> AccountPermissionUpdateContract {
    AccountPermissionUpdateContract {
        owner_address: bytes(1),
        owner: Some(permission(0, 1, &[(1, 1)])),
        witness: None,
        actives: vec![permission(2, 2, &[(3, 2), (4, 1), (5, 1)])],
    }
}

impl Net {
    fn send_by(&mut self, op: &Op, permission_id: i32, signers: &[u8]) -> Result<(), Refusal> {
        let mut raw = self.raw(op);
        raw.contract[0].permission_id = permission_id;
        let tx = Self::sign(raw, signers);
        self.chain.broadcast(tx, crate::chain::Disposal::Pool)
    }
}

#[test]
fn a_key_signs_what_its_permission_allows_as_far_as_its_weight_reaches() {
    let mut net = Net::funded();
    net.credit(6, TRX);
    net.mine(1);
    let before = net.account(1).balance;
    let outcome = net.must(1, &Op::Permissions(update()));
    assert!(outcome.bill.fee >= 100 * TRX, "{:?}", outcome.bill);
    assert_eq!(net.account(1).balance, before - outcome.bill.fee);
    let shown = net.account(1).active_permissions.unwrap();
    assert_eq!((shown[0].id, shown[0].name.as_str()), (2, "lending"));

    let lend = delegate(1, 6, 10 * TRX);
    let refused = |text: &str| Err(Refusal::Signature(text.to_owned()));
    assert_eq!(net.send_by(&lend, 2, &[4]), refused("sig error"), "too light alone");
    assert_eq!(net.send_by(&lend, 2, &[4, 5]), Ok(()), "enough together");
    assert_eq!(net.send_by(&lend, 2, &[3]), Ok(()), "heavy enough alone");
    assert_eq!(net.send_by(&transfer(1, 6, TRX), 2, &[3]), refused("Permission denied"));
    assert_eq!(net.send_by(&lend, 3, &[3]), refused("permission isn't exit"));
    let strangers = [(2, 1), (0, 3)];
    for (id, signer) in strangers {
        let Err(Refusal::Signature(text)) = net.send_by(&lend, id, &[signer]) else {
            panic!("permission {id} is not of key {signer}");
        };
        assert!(text.ends_with("but it is not contained of permission."), "{text}");
    }
}

#[test]
fn permissions_that_the_network_would_not_have_are_refused_in_its_words() {
    let mut net = Net::funded();
    type Change = fn(&mut AccountPermissionUpdateContract);
    let cases: [(Change, &str); 13] = [
        (|c| c.owner = None, "owner permission is missed"),
        (
            |c| c.witness = c.owner.clone(),
            "account isn't witness can't set witness permission",
        ),
        (|c| c.actives.clear(), "active permission is missed"),
        (
            |c| c.actives = vec![c.actives[0].clone(); 9],
            "active permission is too many",
        ),
        (|c| c.actives[0].kind = 0, "active permission type is error"),
        (|c| c.actives[0].keys.clear(), "key's count should be greater than 0"),
        (
            |c| c.actives[0].threshold = 0,
            "permission's threshold should be greater than 0",
        ),
        (|c| c.actives[0].parent_id = 1, "permission's parent should be owner"),
        (
            |c| c.actives[0].keys[1] = c.actives[0].keys[0].clone(),
            "address should be distinct in permission Active",
        ),
        (
            |c| c.actives[0].keys[0].weight = 0,
            "key's weight should be greater than 0",
        ),
        (
            |c| c.actives[0].threshold = 5,
            "sum of all key's weight should not be less than threshold in permission Active",
        ),
        (|c| c.actives[0].operations.truncate(31), "operations size must 32"),
        (
            |c| c.actives[0].operations[31] = 0x80,
            "255 isn't a validate ContractType",
        ),
    ];
    for (change, text) in cases {
        let mut contract = update();
        change(&mut contract);
        assert_eq!(net.refusal(1, &Op::Permissions(contract)), text);
    }
    let mut with_operations = update();
    with_operations.owner.as_mut().unwrap().operations = lending();
    let refused = net.refusal(1, &Op::Permissions(with_operations));
    assert_eq!(refused, "Owner permission needn't operations");
}

#[test]
fn a_change_takes_its_fee_or_does_not_happen() {
    let mut net = Net::new();
    net.credit(1, 99 * TRX);
    net.mine(1);
    let refused = net.send(1, &Op::Permissions(update()));
    assert!(
        matches!(&refused, Err(Refusal::Other(text)) if text.ends_with("insufficient balance")),
        "{refused:?}"
    );
    assert_eq!(net.account(1).active_permissions, None);
}

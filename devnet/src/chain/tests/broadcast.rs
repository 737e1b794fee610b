//! The way into the pool: codes, messages, their order, and what a block does to the pool.

use super::{Net, TRX, addr, delegate, freeze, key, transfer};
use crate::chain::{AdminOp, Disposal};
use crate::config::DevnetConfig;
use crate::exec::Refusal;
use crate::state::{Key, Permission, Resource, View};

const DAY_MS: i64 = 86_400_000;

#[test]
fn codes_and_messages_are_the_nodes() {
    let table = [
        (
            Refusal::Signature("x".into()),
            "SIGERROR",
            "Validate signature error: x",
        ),
        (
            Refusal::Validate("x".into()),
            "CONTRACT_VALIDATE_ERROR",
            "Contract validate error : x",
        ),
        (
            Refusal::Resources,
            "BANDWITH_ERROR",
            "Account resource insufficient error.",
        ),
        (Refusal::Duplicate, "DUP_TRANSACTION_ERROR", "Dup transaction."),
        (Refusal::Tapos, "TAPOS_ERROR", "Tapos check error."),
        (Refusal::Expired, "TRANSACTION_EXPIRATION_ERROR", "Transaction expired"),
        (Refusal::Busy, "SERVER_BUSY", "Server busy."),
        (Refusal::Unsolidified, "BLOCK_UNSOLIDIFIED", "Block unsolidified."),
        (Refusal::Other("x".into()), "OTHER_ERROR", "Error: x"),
        (Refusal::TooBig("x".into()), "TOO_BIG_TRANSACTION_ERROR", "x"),
    ];
    for (refusal, code, message) in table {
        assert_eq!((refusal.code(), refusal.message().as_str()), (code, message));
    }
}

#[test]
fn a_transaction_is_taken_once_pending_and_once_included() {
    let mut net = Net::funded();
    let raw = net.raw(&transfer(1, 2, TRX));
    let id = net.send_raw(raw.clone(), 1).unwrap();
    assert!(net.chain.pending(&id).is_some());
    assert_eq!(net.send_raw(raw.clone(), 1), Err(Refusal::Duplicate));
    net.mine(1);
    assert!(net.chain.pending(&id).is_none());
    assert_eq!(net.send_raw(raw, 1), Err(Refusal::Duplicate));
    assert_eq!(net.account(2).balance, 1_000_001 * TRX, "once");
}

#[test]
fn expiry_is_judged_in_block_time() {
    let mut net = Net::funded();
    let head_ms = net.chain.head_ms();
    let mut with = |expiration| {
        let mut raw = net.raw(&transfer(1, 2, TRX));
        raw.expiration = expiration;
        net.send_raw(raw, 1).map(|_| ())
    };
    assert_eq!(
        with(head_ms + 2_999),
        Err(Refusal::Expired),
        "the next slot is too late"
    );
    assert_eq!(with(head_ms + 3_000), Ok(()));
    assert_eq!(with(head_ms + DAY_MS), Ok(()));
    assert_eq!(with(head_ms + DAY_MS + 1), Err(Refusal::Expired));
}

#[test]
fn inclusion_needs_an_expiry_after_the_block_before() {
    let mut net = Net::funded();
    let in_time = net.send(1, &transfer(1, 2, TRX)).unwrap();
    net.pass(120);
    assert!(
        net.outcome(&in_time).is_some(),
        "the block's own timestamp does not count"
    );
    let late = net.send(1, &transfer(1, 2, TRX)).unwrap();
    // As if it had not fitted into the blocks of the next minute.
    let waiting = std::mem::take(&mut net.chain.pool);
    net.mine(20);
    net.chain.pool = waiting;
    net.mine(1);
    assert_eq!(net.outcome(&late), None);
    assert!(net.chain.pending(&late).is_none());
}

#[test]
fn references_must_be_on_this_branch_and_recent() {
    let mut net = Net::funded();
    let mut raw = net.raw(&transfer(1, 2, TRX));
    raw.ref_block_hash[0] ^= 1;
    assert_eq!(net.send_raw(raw, 1), Err(Refusal::Tapos));
    let mut raw = net.raw(&transfer(1, 2, TRX));
    raw.ref_block_bytes = vec![0xff, 0xff];
    assert_eq!(net.send_raw(raw, 1), Err(Refusal::Tapos));
    let mut raw = net.raw(&transfer(1, 2, TRX));
    raw.ref_block_bytes = Vec::new();
    assert_eq!(net.send_raw(raw, 1), Err(Refusal::Tapos));
    let old = net.raw(&transfer(1, 2, TRX));
    net.mine(65_536);
    let mut stale = old;
    stale.expiration = net.chain.head_ms() + 60_000;
    assert_eq!(
        net.send_raw(stale, 1),
        Err(Refusal::Tapos),
        "65,536 blocks later another block has those bits"
    );
}

#[test]
fn signatures_are_checked_before_references() {
    let mut net = Net::funded();
    let mut raw = net.raw(&transfer(1, 2, TRX));
    raw.ref_block_hash[0] ^= 1;
    let text = match net.send_raw(raw, 2) {
        Err(Refusal::Signature(text)) => text,
        other => panic!("{other:?}"),
    };
    assert!(
        text.ends_with(&format!(
            " is signed by {} but it is not contained of permission.",
            addr(2)
        )),
        "{text}"
    );
}

#[test]
fn malformed_signatures_are_named() {
    let mut net = Net::funded();
    let mut with = |signatures: Vec<Vec<u8>>| {
        let raw = net.raw(&transfer(1, 2, TRX));
        let mut tx = Net::sign(raw, &[]);
        tx.signatures = signatures;
        match net.chain.broadcast(tx, Disposal::Pool) {
            Err(Refusal::Signature(text)) => text,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(with(vec![]), "miss sig or contract");
    assert_eq!(with(vec![vec![1; 64]]), "Signature size is 64");
    assert_eq!(with(vec![vec![1; 69]]), "Signature size is 69");
    assert_eq!(with(vec![vec![1; 65]; 6]), "too many signatures");
    assert_eq!(
        with(vec![vec![1; 65]; 2]),
        "Signature count is 2 more than key counts of permission : 1"
    );
}

#[test]
fn both_forms_of_v_are_accepted() {
    let mut net = Net::funded();
    let raw = net.raw(&transfer(1, 2, TRX));
    let mut tx = Net::sign(raw, &[1]);
    tx.signatures[0][64] -= 27;
    assert!(net.chain.broadcast(tx, Disposal::Pool).is_ok());
}

#[test]
fn a_delegation_key_can_delegate_and_nothing_else() {
    let mut net = Net::funded();
    let mut operations = [0; 32];
    operations[7] = 0x06;
    let keys = vec![Key {
        address: key(7).address(),
        weight: 1,
    }];
    let active = Permission {
        id: 3,
        name: "active".to_owned(),
        threshold: 1,
        keys,
        operations: Some(operations),
    };
    net.chain.admin(AdminOp::Actives {
        address: addr(1),
        actives: vec![active],
    });
    net.mine(1);
    let mut send = |op, permission_id, signer| {
        let mut raw = net.raw(&op);
        raw.contract[0].permission_id = permission_id;
        net.send_raw(raw, signer).map(|_| ())
    };
    assert_eq!(send(delegate(1, 2, TRX), 3, 7), Ok(()));
    let refused = |text: &str| Err(Refusal::Signature(text.to_owned()));
    assert_eq!(send(transfer(1, 2, TRX), 3, 7), refused("Permission denied"));
    assert_eq!(send(freeze(1, TRX, 1), 3, 7), refused("Permission denied"));
    assert_eq!(send(transfer(1, 2, TRX), 2, 7), refused("permission isn't exit"));
    assert!(
        matches!(send(transfer(1, 2, TRX), 0, 7), Err(Refusal::Signature(_))),
        "not the owner's key"
    );
    assert_eq!(send(transfer(1, 2, TRX), 0, 1), Ok(()));
}

#[test]
fn a_full_pool_and_a_stalled_solidification_are_said_first() {
    let mut net = Net::with(DevnetConfig {
        max_pending: 1,
        unsolidified_check: true,
        ..DevnetConfig::default()
    });
    net.credit(1, 10 * TRX);
    net.credit(2, 10 * TRX);
    assert_eq!(net.chain.admission(), Ok(()));
    net.send(1, &transfer(1, 2, 1)).unwrap();
    assert_eq!(net.chain.admission(), Err(Refusal::Busy));
    net.chain.stall_solid(true);
    net.mine(54);
    assert_eq!(net.chain.admission(), Err(Refusal::Unsolidified));
    net.chain.stall_solid(false);
    net.mine(1);
    assert_eq!(net.chain.admission(), Ok(()));
}

#[test]
fn accepted_and_dropped_leaves_no_trace() {
    let mut net = Net::funded();
    let raw = net.raw(&transfer(1, 2, TRX));
    let tx = Net::sign(raw, &[1]);
    net.chain.broadcast(tx.clone(), Disposal::Drop).unwrap();
    assert_eq!(net.account(2).balance, 1_000_000 * TRX);
    net.mine(1);
    assert_eq!(net.outcome(&tx.txid), None);
    net.chain.broadcast(tx, Disposal::Pool).unwrap();
}

#[test]
fn the_solid_view_lags_and_the_head_view_includes_the_pool() {
    let mut net = Net::funded();
    net.mine(19);
    let id = net.send(1, &transfer(1, 2, TRX)).unwrap();
    assert_eq!(
        net.account(2).balance,
        1_000_001 * TRX,
        "pending already counts on a full node"
    );
    net.mine(19);
    assert!(net.chain.inclusion(View::Head, &id).is_some());
    assert!(net.chain.inclusion(View::Solid, &id).is_none());
    assert_eq!(net.solid_account(2).unwrap().balance, 1_000_000 * TRX);
    net.mine(1);
    assert!(net.chain.inclusion(View::Solid, &id).is_some());
    assert_eq!(net.solid_account(2).unwrap().balance, 1_000_001 * TRX);
}

#[test]
fn memory_is_bounded_and_old_blocks_are_forgotten() {
    let mut net = Net::with(DevnetConfig {
        max_blocks: 1_000,
        ..DevnetConfig::default()
    });
    net.stake(1, Resource::Energy, TRX);
    net.chain.stall_solid(true);
    net.mine(2_500);
    assert_eq!(net.chain.blocks.len(), 1_000);
    assert!(net.chain.block(1).is_none());
    assert!(net.chain.solid() >= net.chain.head() - 1_000);
    assert_eq!(net.account(1).frozen[1], TRX);
    assert!(net.solid_account(1).is_some());
}

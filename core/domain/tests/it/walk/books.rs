//! What must hold after every step, whatever the steps were.

use std::collections::BTreeMap;

use kernel::{DelegationId, OrderId};

use super::node::Node;
use crate::world::{ENERGY, World};

/// What may wait for an operator although nothing is wrong with us.
const EXPECTED: [&str; 5] = [
    "chain.nothing_lands",
    "delegations.reclaim_fails",
    "orders.stuck",
    "pool.no_wallet_fits",
    "wallets.isolated",
];

/// The names of the rules that the rows break.
const BROKEN: &str = "
    WITH live AS (SELECT * FROM chain_transactions WHERE NOT (state = 'dead' OR (state = 'final' AND outcome = 'failed')))
    SELECT 'two ends of one order' AS word FROM ledger_transfers
        WHERE reason IN ('order_settle', 'order_refund', 'order_cancel') GROUP BY order_id HAVING count(*) > 1
    UNION ALL SELECT 'an end that the order does not know of' FROM orders o WHERE
        COALESCE((SELECT t.reason FROM ledger_transfers t WHERE t.order_id = o.id AND t.reason <> 'order_hold'), 'open')
        <> CASE WHEN o.settled_at IS NOT NULL THEN 'order_settle' WHEN o.state = 'refunded' THEN 'order_refund'
                WHEN o.state = 'cancelled' THEN 'order_cancel' ELSE 'open' END
    UNION ALL SELECT 'two live transactions of one intent' FROM live GROUP BY intent_kind, intent_id HAVING count(*) > 1
    UNION ALL SELECT 'order ' || o.state || ' with ' || COALESCE(k.states, 'none') || ' of ' || o.energy
        FROM orders o LEFT JOIN LATERAL (SELECT sum(d.energy) AS energy, bool_and(d.state = 'active') AS active,
                bool_and(d.state IN ('reserved', 'active')) AS begun,
                bool_and(d.state IN ('active', 'reclaiming', 'reclaimed') AND d.ends_at = o.ends_at) AS made,
                string_agg(d.state || ' ' || d.energy, ', ') AS states
            FROM delegations d WHERE d.order_id = o.id AND d.state <> 'released' AND NOT d.stray) k ON true
        WHERE NOT CASE o.state
            WHEN 'processing' THEN COALESCE(k.begun AND k.energy <= o.energy AND (k.energy < o.energy OR NOT k.active), false)
            WHEN 'completed' THEN COALESCE(k.made AND k.energy = o.energy, false)
            WHEN 'failed' THEN false ELSE k.energy IS NULL END
    UNION ALL SELECT 'delegation ' || d.state || ' and its transactions' FROM delegations d
        WHERE (d.state <> 'released')
            <> EXISTS (SELECT 1 FROM live l WHERE l.intent_kind = 'delegate' AND l.intent_id = d.id)
        OR (d.state IN ('reclaiming', 'reclaimed'))
            <> EXISTS (SELECT 1 FROM live l WHERE l.intent_kind = 'reclaim' AND l.intent_id = d.id)
    UNION ALL SELECT 'an order that lacks energy without a job' FROM orders o
        WHERE (o.state = 'pending' OR (o.state = 'processing' AND o.energy > (SELECT sum(d.energy) FROM delegations d
            WHERE d.order_id = o.id AND d.state <> 'released' AND NOT d.stray)))
        AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'orders.delegate' AND j.object_id = o.id::text)";

/// The books are sound, the rows fit one another, and no order is both delivered and given back, as the node sees it.
pub(super) async fn check(world: &World, node: &Node) {
    let report = world.reconcile().await;
    let findings = world.findings().await;
    let unexpected: Vec<_> = findings
        .iter()
        .filter(|kind| !EXPECTED.contains(&kind.as_str()))
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    assert_eq!(report.requeued, 0);
    assert_eq!(world.words(BROKEN).await, [""; 0]);
    let energies = energies(world).await;
    let delivered = |order: &str| delivered(node, order, &energies);
    let settled = world
        .words("SELECT id::text AS word FROM orders WHERE settled_at IS NOT NULL")
        .await;
    for order in &settled {
        let landings = delivered(order);
        let for_good = landings.iter().all(|(number, _)| *number <= node.solid);
        assert!(for_good && energy(&landings) == ENERGY, "settled: {order} {landings:?}");
    }
    let given_back = "SELECT id::text AS word FROM orders WHERE state IN ('cancelled', 'refunded')";
    for order in &world.words(given_back).await {
        assert_eq!(delivered(order), [], "given back: {order}");
    }
    for order in &world.words("SELECT id::text AS word FROM orders").await {
        assert!(energy(&delivered(order)) <= ENERGY, "delivered twice: {order}");
    }
}

/// The energy of each delegation that may deliver its order.
async fn energies(world: &World) -> BTreeMap<DelegationId, i64> {
    let lines = world
        .words("SELECT id || ' ' || energy AS word FROM delegations WHERE NOT stray")
        .await;
    let entry = |line: &String| {
        let (id, energy) = line.split_once(' ').unwrap();
        (id.parse().unwrap(), energy.parse().unwrap())
    };
    lines.iter().map(entry).collect()
}

fn energy(landings: &[(i64, i64)]) -> i64 {
    landings.iter().map(|(_, energy)| energy).sum()
}

/// The blocks in which an order was delivered, each with its energy.
fn delivered(node: &Node, order: &str, energies: &BTreeMap<DelegationId, i64>) -> Vec<(i64, i64)> {
    let order: OrderId = order.parse().unwrap();
    let landing = |n: usize| {
        let known = &node.known[n];
        let (number, ok) = node.landing(n)?;
        let delivers = ok && known.order == order && known.kind == db::models::IntentKind::Delegate;
        let energy = energies.get(&known.tx.delegation).filter(|_| delivers)?;
        Some((number, *energy))
    };
    (0..node.known.len()).filter_map(landing).collect()
}

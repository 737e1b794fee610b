//! What must hold after every step, whatever the steps were.

use kernel::OrderId;

use super::node::Node;
use crate::world::World;

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
    UNION ALL SELECT 'order ' || o.state || ' with delegation ' || COALESCE(d.state, 'none')
        FROM orders o LEFT JOIN delegations d ON d.order_id = o.id AND d.state <> 'released'
        WHERE NOT CASE o.state WHEN 'processing' THEN COALESCE(d.state = 'reserved', false)
            WHEN 'completed' THEN COALESCE(d.state IN ('active', 'reclaiming', 'reclaimed'), false)
            WHEN 'failed' THEN false ELSE d.id IS NULL END
    UNION ALL SELECT 'delegation ' || d.state || ' and its transactions' FROM delegations d
        WHERE (d.state <> 'released')
            <> EXISTS (SELECT 1 FROM live l WHERE l.intent_kind = 'delegate' AND l.intent_id = d.id)
        OR (d.state IN ('reclaiming', 'reclaimed'))
            <> EXISTS (SELECT 1 FROM live l WHERE l.intent_kind = 'reclaim' AND l.intent_id = d.id)
    UNION ALL SELECT 'a pending order without a job' FROM orders o WHERE o.state = 'pending'
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
    let settled = world
        .words("SELECT id::text AS word FROM orders WHERE settled_at IS NOT NULL")
        .await;
    for order in &settled {
        let landings = delivered(node, order);
        assert!(
            matches!(landings[..], [number] if number <= node.solid),
            "settled: {order} {landings:?}"
        );
    }
    let given_back = "SELECT id::text AS word FROM orders WHERE state IN ('cancelled', 'refunded')";
    for order in &world.words(given_back).await {
        assert_eq!(delivered(node, order), [0; 0], "given back: {order}");
    }
    for order in &world.words("SELECT id::text AS word FROM orders").await {
        assert!(delivered(node, order).len() <= 1, "delivered twice: {order}");
    }
}

/// The blocks in which an order was delivered.
fn delivered(node: &Node, order: &str) -> Vec<i64> {
    let order: OrderId = order.parse().unwrap();
    let of_order = |n: &usize| {
        let known = &node.known[*n];
        known.order == order && known.kind == db::models::IntentKind::Delegate
    };
    let landings = (0..node.known.len()).filter(of_order).filter_map(|n| node.landing(n));
    landings.filter(|(_, ok)| *ok).map(|(number, _)| number).collect()
}

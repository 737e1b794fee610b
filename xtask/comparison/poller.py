"""Reads blocks: completes what is in them, and settles what can no longer be reverted."""

import datetime as dt
import time

import requests
from sqlalchemy import text

from store import NODE_URL, Session

POLL_S = 0.05
BLOCKS = 20
node = requests.Session()


def ask(path: str, body: dict) -> dict:
    return node.post(f"{NODE_URL}{path}", json=body, timeout=5).json()


def head(block: dict) -> tuple[int, str, int]:
    raw = block["block_header"]["raw_data"]
    return raw.get("number", 0), block["blockID"], raw["timestamp"]


COMPLETE = text("""
    WITH landed AS (
        UPDATE chain_transactions SET state = 'included', block_number = :number
        WHERE txid = ANY(:txids) AND state IN ('signed', 'sent') RETURNING order_id)
    UPDATE orders SET state = 'completed', completed_at = clock_timestamp(), ends_at = :at + duration_s * interval '1 second'
    FROM landed WHERE orders.id = landed.order_id AND orders.state = 'processing'""")
SETTLE = text("""
    WITH final AS (
        UPDATE chain_transactions SET state = 'final'
        WHERE state = 'included' AND block_number <= :solid RETURNING order_id),
    settled AS (
        UPDATE orders SET settled_at = now() FROM final
        WHERE orders.id = final.order_id AND orders.settled_at IS NULL RETURNING orders.id, price_sun)
    INSERT INTO transfers (event, debit, credit, amount_sun, order_id, created_at)
    SELECT 'order:' || id || '\\:settle', 'escrow', 'revenue', price_sun, id, now() FROM settled""")
MOVE = text("UPDATE cursor SET head_number = :number, head_ms = :ms, solid_number = :solid, solid_id = :solid_id")


def look(cursor: list) -> int:
    start = cursor[0] + 1
    blocks = ask("/wallet/getblockbylimitnext", {"startNum": start, "endNum": start + BLOCKS}).get("block", [])
    solid, solid_id, _ = head(ask("/walletsolidity/getnowblock", {}))
    if not blocks and solid == cursor[1]:
        return 0
    with Session.begin() as session:
        for block in blocks:
            number, _, ms = head(block)
            txids = [tx["txID"] for tx in block.get("transactions", []) if tx["ret"][0]["contractRet"] == "SUCCESS"]
            if txids:
                at = dt.datetime.fromtimestamp(ms / 1000, dt.timezone.utc)
                session.execute(COMPLETE, {"number": number, "txids": txids, "at": at})
            cursor[0], cursor[2] = number, ms
        solid = min(solid, cursor[0])
        if solid > cursor[1]:
            session.execute(SETTLE, {"solid": solid})
        session.execute(MOVE, {"number": cursor[0], "ms": cursor[2], "solid": solid, "solid_id": solid_id})
        cursor[1] = solid
    return len(blocks)


def main() -> None:
    with Session() as session:
        cursor = list(session.execute(text("SELECT head_number, solid_number, head_ms FROM cursor")).one())
    while True:
        try:
            if look(cursor) == BLOCKS:
                continue
        except requests.RequestException as error:
            print(error, flush=True)
        time.sleep(POLL_S)


if __name__ == "__main__":
    main()

"""Delivery: claim, sign and store in one transaction, then send, then record."""

import requests
from celery import Celery
from celery.signals import worker_process_init
from sqlalchemy import select

import tron
from store import NODE_URL, REDIS_URL, ChainTransaction, Cursor, Order, Session, Wallet, engine, now

celery = Celery("comparison", broker=REDIS_URL)
celery.conf.update(task_ignore_result=True, task_acks_late=True, worker_hijack_root_logger=False)

SUN_PER_ENERGY = 110_000  # what a unit of energy takes on the devnet, with a margin
EXPIRY_MS = 60_000
node = requests.Session()


@worker_process_init.connect
def forked(**_) -> None:
    engine.dispose(close=False)  # connections must not be shared with the parent


@celery.task(autoretry_for=(Exception,), retry_backoff=True, max_retries=10)
def deliver(order_id: str) -> None:
    with Session.begin() as session:
        order = session.scalar(select(Order).where(Order.id == order_id).with_for_update())
        if order is None or order.state != "pending":
            return
        amount_sun = order.energy * SUN_PER_ENERGY
        wallet = session.scalar(
            select(Wallet).where(Wallet.room_sun >= amount_sun).order_by(Wallet.room_sun, Wallet.id)
            .limit(1).with_for_update(skip_locked=True))
        if wallet is None:
            raise RuntimeError("no wallet fits")
        cursor = session.get_one(Cursor, 1)
        wallet.room_sun -= amount_sun
        wallet.last_ms = max(cursor.head_ms, wallet.last_ms + 1)
        txid, raw = tron.sign_delegation(wallet.private_key, wallet.address, order.receiver, amount_sun,
                                         cursor.solid_id, wallet.last_ms, cursor.head_ms + EXPIRY_MS)
        session.add(ChainTransaction(txid=txid, order_id=order.id, wallet_id=wallet.id, raw=raw, state="signed",
                                     created_at=now()))
        order.state = "processing"
    answer = node.post(f"{NODE_URL}/wallet/broadcasthex", json={"transaction": raw.hex()}, timeout=5).json()
    if not answer.get("result"):
        raise RuntimeError(answer.get("code"))
    with Session.begin() as session:
        transaction = session.scalar(
            select(ChainTransaction).where(ChainTransaction.txid == txid, ChainTransaction.state == "signed")
            .with_for_update())
        if transaction is not None:
            transaction.state, transaction.sent_at = "sent", now()

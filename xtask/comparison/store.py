"""Tables, and what every process is told by its environment."""

import datetime as dt
import os

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, create_engine, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

NODE_URL = os.environ["COMPARISON_NODE_URL"]
REDIS_URL = os.environ["COMPARISON_REDIS_URL"]
API_KEY = os.environ["COMPARISON_API_KEY"]

engine = create_engine(os.environ["COMPARISON_DATABASE_URL"], pool_size=20, max_overflow=0)
Session = sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    type_annotation_map = {int: BigInteger, dt.datetime: DateTime(timezone=True)}


class User(Base):
    __tablename__ = "users"
    __table_args__ = (CheckConstraint("balance_sun >= 0"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    balance_sun: Mapped[int]


class IdempotencyKey(Base):
    __tablename__ = "idempotency_keys"
    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[str]
    order_id: Mapped[str]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    receiver: Mapped[str]
    energy: Mapped[int]
    duration_s: Mapped[int]
    price_sun: Mapped[int]
    state: Mapped[str]
    created_at: Mapped[dt.datetime]
    completed_at: Mapped[dt.datetime | None]
    ends_at: Mapped[dt.datetime | None]
    settled_at: Mapped[dt.datetime | None]


Index("orders_open", Order.created_at, postgresql_where=Order.state.in_(["pending", "processing"]))
Index("orders_unsettled", Order.id, postgresql_where=text("state = 'completed' AND settled_at IS NULL"))


class Transfer(Base):
    __tablename__ = "transfers"
    __table_args__ = (CheckConstraint("amount_sun > 0"),)
    event: Mapped[str] = mapped_column(primary_key=True)
    debit: Mapped[str]
    credit: Mapped[str]
    amount_sun: Mapped[int]
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    created_at: Mapped[dt.datetime]


class Wallet(Base):
    __tablename__ = "wallets"
    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str]
    private_key: Mapped[str]
    room_sun: Mapped[int]
    last_ms: Mapped[int]


class ChainTransaction(Base):
    __tablename__ = "chain_transactions"
    txid: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), index=True)
    wallet_id: Mapped[int] = mapped_column(ForeignKey("wallets.id"))
    raw: Mapped[bytes]
    state: Mapped[str]
    block_number: Mapped[int | None]
    sent_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime]


Index("chain_transactions_included", ChainTransaction.block_number,
      postgresql_where=ChainTransaction.state == "included")


class Cursor(Base):
    """How far the poller has read."""

    __tablename__ = "cursor"
    id: Mapped[int] = mapped_column(primary_key=True)
    head_number: Mapped[int]
    head_ms: Mapped[int]
    solid_number: Mapped[int]
    solid_id: Mapped[str]


def now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)

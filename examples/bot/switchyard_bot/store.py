"""What the bot remembers: what users were offered, orders whose answer it does not know, and the last answers to reads.

The truth is Switchyard's. This file may be deleted: then offers are forgotten and unanswered orders are not asked for again; none
of them can be charged twice all the same.
"""

import json
import sqlite3
import time
from dataclasses import dataclass
from typing import Any, Optional

SCHEMA = """
CREATE TABLE IF NOT EXISTS offers (
    quote_id text PRIMARY KEY,
    user_id integer NOT NULL,
    chat_id integer NOT NULL,
    language text NOT NULL,
    receiver text NOT NULL,
    energy integer NOT NULL,
    duration_s integer NOT NULL,
    -- offered, sending (its answer is not known), placed, refused
    state text NOT NULL,
    made_at real NOT NULL
);
CREATE TABLE IF NOT EXISTS answers (
    user_id integer NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    at real NOT NULL,
    PRIMARY KEY (user_id, kind)
);
"""
KEEP_OFFERS_S = 7 * 86_400


@dataclass(frozen=True)
class Offer:
    """A price that a user was shown."""

    quote_id: str
    user_id: int
    chat_id: int
    language: str
    receiver: str
    energy: int
    duration_s: int
    state: str

    @property
    def mark(self) -> str:
        """The order's idempotency key: one order for one offer, whoever presses the button how often."""
        return f"bot-{self.quote_id}"


class Store:
    """A file of SQLite's."""

    def __init__(self, path: str):
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Ends the connection."""
        self._db.close()

    def offer(self, offer: Offer) -> None:
        """Remembers an offer, and forgets those that are long over."""
        self._db.execute(
            "INSERT INTO offers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                offer.quote_id,
                offer.user_id,
                offer.chat_id,
                offer.language,
                offer.receiver,
                offer.energy,
                offer.duration_s,
                offer.state,
                time.time(),
            ),
        )
        self._db.execute(
            "DELETE FROM offers WHERE state <> 'sending' AND made_at < ?", (time.time() - KEEP_OFFERS_S,)
        )

    def offer_of(self, quote_id: str, user: int) -> Optional[Offer]:
        """An offer to this user; another's is not there."""
        rows = self._offers("quote_id = ? AND user_id = ?", (quote_id, user))
        return rows[0] if rows else None

    def sending(self) -> list[Offer]:
        """Orders whose answer is not known, oldest first, at most a hundred."""
        return self._offers("state = 'sending' ORDER BY made_at LIMIT 100", ())

    def _offers(self, where: str, values: tuple[Any, ...]) -> list[Offer]:
        columns = "quote_id, user_id, chat_id, language, receiver, energy, duration_s, state"
        return [Offer(*row) for row in self._db.execute(f"SELECT {columns} FROM offers WHERE {where}", values)]

    def move(self, quote_id: str, before: str, after: str) -> bool:
        """Guarded: answers whether it was in that state. On the disk before it returns."""
        done = self._db.execute(
            "UPDATE offers SET state = ? WHERE quote_id = ? AND state = ?", (after, quote_id, before)
        )
        return done.rowcount == 1

    def remember(self, user: int, kind: str, body: Any) -> None:
        """The last answer to a read."""
        self._db.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", (user, kind, json.dumps(body), time.time())
        )

    def recall(self, user: int, kind: str) -> Optional[tuple[Any, float]]:
        """The last answer to a read, and when it came."""
        row = self._db.execute("SELECT body, at FROM answers WHERE user_id = ? AND kind = ?", (user, kind)).fetchone()
        return (json.loads(row[0]), row[1]) if row else None

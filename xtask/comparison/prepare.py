"""Tables, users with money, and wallets out of a file with a line `private key, address` for each."""

import sys

import requests

from poller import head
from store import NODE_URL, Base, Cursor, Session, User, Wallet, engine


def main(wallets: str, room_sun: str, first_user: str, users: str, balance_sun: str) -> None:
    Base.metadata.create_all(engine)
    solid = requests.post(f"{NODE_URL}/walletsolidity/getnowblock", json={}, timeout=5).json()
    number, block_id, ms = head(solid)
    with Session.begin() as session, open(wallets, encoding="ascii") as lines:
        for key, address in (line.split() for line in lines):
            session.add(Wallet(address=address, private_key=key, room_sun=int(room_sun), last_ms=0))
        first = int(first_user)
        session.add_all(User(id=n, balance_sun=int(balance_sun)) for n in range(first, first + int(users)))
        session.add(Cursor(id=1, head_number=number, head_ms=ms, solid_number=number, solid_id=block_id))


if __name__ == "__main__":
    main(*sys.argv[1:])

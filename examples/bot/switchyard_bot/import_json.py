"""Brings users of an older bot over: their balances and the addresses that they kept.

Such bots keep JSON files of one of two shapes, by user's number or as a list:

    {"42": {"balance": "12.5", "wallets": ["T…", {"address": "T…", "label": "main"}]}}
    [{"id": 42, "balance": 12.5, "wallets": […]}]

Names differ from bot to bot: `user_id` or `telegram_id` for `id`, `trx` for `balance`, `addresses` for `wallets` are understood.
A balance is TRX, never above six decimals; a number is read as it is written, not as a float.

Each balance is booked under a key made of the import's name and the user, so that running it again books nothing twice. A
balance that changed in the file since is refused as another request under a used key: it has to be settled by hand.

A large balance (`approvals.adjustment_above_trx`) waits for another operator's approval. It is named, the others go on; run the same
again once it is decided.
"""

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Optional

from .backend import Backend, Refused, Waiting

ADDRESS = re.compile(r"T[1-9A-HJ-NP-Za-km-z]{33}")
USER_MAX = 2**63 - 1
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class BadFile(Exception):
    """The file cannot be read as users; nothing was imported."""


@dataclass(frozen=True)
class Person:
    """One user of the older bot."""

    user: int
    balance: str
    wallets: tuple[tuple[str, Optional[str]], ...]


@dataclass
class Report:
    """What was done, or would be."""

    credited: int = 0
    credited_before: int = 0
    trx: Decimal = Decimal(0)
    wallets: int = 0
    waiting: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether everything was brought over."""
        return not self.waiting and not self.problems

    def lines(self, dry: bool) -> list[str]:
        """For people."""
        would = "would be " if dry else ""
        head = [
            f"{self.credited} balances {would}credited, {self.trx} TRX in all"
            + ("" if dry else f"; {self.credited_before} were credited before"),
            f"{self.wallets} addresses {would}kept",
        ]
        waiting = [f"waiting: {waiting}" for waiting in self.waiting]
        return head + waiting + [f"problem: {problem}" for problem in self.problems]


def read(path: Path) -> tuple[list[Person], list[str]]:
    """The users of a file, and what in it cannot be understood."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadFile(f"{path} cannot be read: {error}") from error
    if isinstance(found, dict):
        entries = [(key, value) for key, value in found.items()]
    elif isinstance(found, list):
        entries = [(None, value) for value in found]
    else:
        raise BadFile(f"{path} holds neither an object of users nor a list of them")
    people: dict[int, Person] = {}
    problems = []
    for place, (key, value) in enumerate(entries):
        try:
            person = _person(key, value)
        except ValueError as error:
            problems.append(f"entry {key or place}: {error}")
            continue
        if person.user in people:
            problems.append(f"user {person.user} is there twice; the second is left out")
            continue
        people[person.user] = person
    return list(people.values()), problems


def _person(key: Optional[str], value: Any) -> Person:
    if not isinstance(value, dict):
        raise ValueError("is no object")
    user = _first(value, "id", "user_id", "telegram_id")
    user = key if user is None else user
    try:
        number = int(str(user))
    except ValueError:
        raise ValueError(f"{user!r} is no user's number") from None
    if not 0 < number <= USER_MAX:
        raise ValueError(f"{number} is no user's number")
    wallets = _first(value, "wallets", "addresses") or []
    if not isinstance(wallets, list):
        raise ValueError("its wallets are no list")
    return Person(number, _balance(_first(value, "balance", "trx")), tuple(_wallet(wallet) for wallet in wallets))


def _first(value: dict[str, Any], *names: str) -> Any:
    return next((value[name] for name in names if value.get(name) is not None), None)


def _balance(value: Any) -> str:
    if value is None:
        return "0"
    if isinstance(value, bool):
        raise ValueError("its balance is no amount")
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"its balance {value!r} is no amount") from None
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"its balance {value!r} is no amount to credit")
    if amount != amount.quantize(Decimal("0.000001")):
        raise ValueError(f"its balance {value!r} has more than six decimals")
    return f"{amount:.6f}"


def _wallet(value: Any) -> tuple[str, Optional[str]]:
    address, label = (value.get("address"), value.get("label")) if isinstance(value, dict) else (value, None)
    if not isinstance(address, str) or not ADDRESS.fullmatch(address):
        raise ValueError(f"{address!r} is no TRON address")
    return address, str(label)[:100] if label else None


async def run(backend: Backend, path: Path, name: str, dry: bool) -> Report:
    """Imports a file under a name; dry: only says what would be done."""
    if not NAME.fullmatch(name):
        raise BadFile("the name has 1 to 64 of A-Z a-z 0-9 . _ -")
    people, problems = read(path)
    report = Report(problems=problems)
    for person in people:
        await _one(backend, person, (name, dry), report)
    return report


async def _one(backend: Backend, person: Person, how: tuple[str, bool], report: Report) -> None:
    name, dry = how
    if Decimal(person.balance) > 0:
        try:
            mark = f"import-{name}-{person.user}"
            before = False if dry else await backend.credit(
                mark, person.user, "TRX", person.balance, f"imported: {name}"
            )
            report.credited_before += before
            report.credited += not before
            report.trx += 0 if before else Decimal(person.balance)
        except Waiting as waiting:
            if waiting.state == "open":
                report.waiting.append(f"user {person.user}: {person.balance} TRX wait for another operator's approval")
            else:
                report.problems.append(
                    f"user {person.user}: {person.balance} TRX were not credited: the approval is {waiting.state}. Credit this user"
                    " by hand; the same under another --name would credit everybody else once more"
                )
        except Refused as refused:
            report.problems.append(f"user {person.user}: the balance was not credited: {refused.code}")
    for address, label in person.wallets:
        try:
            if not dry:
                await backend.keep_wallet(person.user, address, label)
            report.wallets += 1
        except Refused as refused:
            report.problems.append(f"user {person.user}: {address} is not kept: {refused.code}")

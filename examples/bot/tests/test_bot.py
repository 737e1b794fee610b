"""The bot against a running Switchyard, with Telegram and the line to Switchyard in our hand."""

import asyncio
import itertools
import json
import os
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Optional
from unittest import mock
from uuid import uuid4

from switchyard_bot import import_json
from switchyard_bot.backend import Backend, Refused, Unavailable
from switchyard_bot.bot import Bot
from switchyard_bot.config import Config
from switchyard_bot.store import Store
from switchyard_client.models import WaitingView
from tests.doubles import Line, Telegram

URL = os.environ["SWITCHYARD_URL"]
KEY = os.environ["SWITCHYARD_KEY"]
RECEIVER = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
PATIENCE_S = 20
USERS = itertools.count(int(os.environ.get("BOT_TEST_FIRST_USER", "700001")))


class BotTest(unittest.IsolatedAsyncioTestCase):
    """One bot for each test, with users of its own."""

    async def asyncSetUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.telegram, self.line = Telegram(), Line(URL)
        self.direct = Backend(URL, KEY)
        self.user = next(USERS)
        await self.start()

    async def start(self) -> None:
        """A bot on the same file as the one before."""
        self.store = Store(str(Path(self.folder.name) / "bot.sqlite3"))
        self.backend = Backend(self.line.url, KEY, pause_s=0.01, timeout_s=5)
        config = Config(self.line.url, KEY, "1:token", self.telegram.url, "unused")
        self.application = Bot(self.backend, self.store).application(config)
        await self.application.initialize()
        await self.application.start()
        await self.application.updater.start_polling(poll_interval=0.01)

    async def stop(self) -> None:
        """As if its process ended."""
        await self.application.updater.stop()
        await self.application.stop()
        await self.application.shutdown()
        await self.backend.close()
        self.store.close()

    async def asyncTearDown(self) -> None:
        await self.stop()
        await self.direct.close()
        self.telegram.close()
        self.line.close()
        self.folder.cleanup()

    async def hears(self, words: str, user: Optional[int] = None, past: int = 0) -> dict[str, Any]:
        """Waits until the bot says something with these words after its first `past` sayings."""
        user = user or self.user
        for _ in range(PATIENCE_S * 50):
            for said in self.telegram.to(user)[past:]:
                if words in said["text"]:
                    return said
            await asyncio.sleep(0.02)
        self.fail(f"{words!r} was not said: {[said['text'] for said in self.telegram.to(user)]}")

    async def offered(self) -> str:
        """The button of an offer for the usual order."""
        past = len(self.telegram.to(self.user))
        self.telegram.press(self.user, f"p:{RECEIVER}:65000:3600")
        said = await self.hears("Price:", past=past)
        return json.loads(said["reply_markup"])["inline_keyboard"][0][0]["callback_data"]

    async def fund(self, trx: str) -> None:
        await self.direct.credit(str(uuid4()), self.user, "TRX", trx, "test")

    async def has(self) -> str:
        return (await self.direct.balances(self.user)).get("TRX", "0.000000")

    async def test_a_user_sees_what_is_there(self) -> None:
        await self.fund("12.5")
        self.telegram.write(self.user, "/start")
        menu = await self.hears("What would you like to do?")
        self.assertEqual(len(json.loads(menu["reply_markup"])["inline_keyboard"]), 5)
        self.telegram.press(self.user, "balance")
        await self.hears("12.500000 TRX")
        self.telegram.write(self.user, "/history")
        await self.hears("no orders yet")
        self.telegram.write(self.user, "/wallets")
        await self.hears("no addresses yet")
        self.telegram.write(self.user, "hello")
        await self.hears("I understand TRON addresses")
        self.telegram.write(self.user, RECEIVER[:-1] + "u")
        await self.hears("Not done")
        self.telegram.write(self.user, RECEIVER)
        await self.hears("is kept")
        self.telegram.write(self.user, "/rent")
        await self.hears("Energy for which address?")
        self.telegram.press(self.user, f"w:{RECEIVER}")
        await self.hears("How much")
        self.telegram.write(self.user, "/deposit")
        said = await self.hears("Send TRX to this address")
        address = said["text"].splitlines()[-1]
        past = len(self.telegram.to(self.user))
        self.telegram.write(self.user, "/deposit")
        again = await self.hears("Send TRX to this address", past=past)
        self.assertEqual(again["text"].splitlines()[-1], address)

    async def test_a_button_pressed_many_times_places_one_order(self) -> None:
        await self.fund("10")
        button = await self.offered()
        for _ in range(5):
            self.telegram.press(self.user, button)
        await self.hears("is placed")
        for _ in range(100):
            if len([said for said in self.telegram.to(self.user) if "is placed" in said["text"]]) == 5:
                break
            await asyncio.sleep(0.05)
        said = {said["text"] for said in self.telegram.to(self.user) if "is placed" in said["text"]}
        self.assertEqual(len(said), 1, "the same order each time")
        self.assertEqual(len(await self.direct.orders(self.user)), 1)
        self.assertEqual(await self.has(), "6.750000")
        self.telegram.write(self.user, "/history")
        await self.hears("3.250000 TRX  pending")

    async def test_what_is_refused_says_why_and_costs_nothing(self) -> None:
        await self.fund("1")
        button = await self.offered()
        self.telegram.press(self.user, button)
        await self.hears("Nothing was charged")
        past = len(self.telegram.to(self.user))
        self.telegram.press(self.user, button)
        await self.hears("This offer is gone", past=past)
        self.assertEqual(await self.has(), "1.000000")

    async def test_an_offer_is_its_users(self) -> None:
        await self.fund("10")
        button = await self.offered()
        other = next(USERS)
        self.telegram.press(other, button)
        await self.hears("This offer is gone", user=other)
        self.assertEqual(await self.direct.orders(self.user), [])

    async def test_while_nobody_answers_it_shows_what_it_knew(self) -> None:
        await self.fund("3")
        self.telegram.write(self.user, "/balance", "zh-hans")
        await self.hears("3.000000 TRX")
        self.line.fault = "down"
        past = len(self.telegram.to(self.user))
        self.telegram.write(self.user, "/balance", "zh-hans")
        said = await self.hears("服务暂时无响应", past=past)
        self.assertIn("3.000000 TRX", said["text"])
        self.telegram.write(self.user, "/history", "zh-hans")
        await self.hears("未扣款", past=past)
        self.assertEqual(self.line.asked.count(f"GET /api/users/{self.user}/balance"), 4, "tried three times")

    async def test_an_order_whose_answer_is_lost_is_asked_for_again_and_charged_once(self) -> None:
        await self.fund("10")
        button = await self.offered()
        self.line.fault = "lost"
        self.telegram.press(self.user, button)
        await self.hears("cannot be charged twice")
        self.assertEqual(len(await self.direct.orders(self.user)), 1, "it was placed, and nobody heard of it")
        # that our key is not taken says nothing of the order
        self.line.fault = "key"
        past = len(self.telegram.to(self.user))
        self.telegram.press(self.user, button)
        await self.hears("cannot be charged twice", past=past)
        # another process goes on with it
        await self.stop()
        self.line.fault = None
        await self.start()
        await self.hears("is placed")
        self.assertFalse([said for said in self.telegram.to(self.user) if "Nothing was charged" in said["text"]])
        self.assertEqual(len(await self.direct.orders(self.user)), 1)
        self.assertEqual(await self.has(), "6.750000")

    async def test_an_order_that_never_arrived_is_placed_later(self) -> None:
        await self.fund("10")
        button = await self.offered()
        self.line.fault = "down"
        self.telegram.press(self.user, button)
        await self.hears("cannot be charged twice")
        self.assertEqual(await self.has(), "10.000000")
        await self.stop()
        self.line.fault = None
        await self.start()
        await self.hears("is placed")
        self.assertEqual(await self.has(), "6.750000")

    async def test_an_import_books_each_balance_once(self) -> None:
        first, second, third = (next(USERS) for _ in range(3))
        path = Path(self.folder.name) / "users.json"
        users: dict[str, Any] = {
            str(first): {"balance": "12.5", "wallets": [RECEIVER]},
            str(second): {"trx": 0.1, "addresses": [{"address": RECEIVER, "label": "main"}]},
            str(third): {"balance": 0},
            "anna": {"balance": 1},
            "0": {"balance": 1},
            "900": {"balance": "0.0000001"},
            "901": {"balance": -1},
            "902": {"wallets": ["0x12"]},
        }
        path.write_text(json.dumps(users))
        name = f"test-{uuid4()}"
        dry = await import_json.run(self.direct, path, name, True)
        self.assertEqual((dry.credited, str(dry.trx), dry.wallets, len(dry.problems)), (2, "12.600000", 2, 5))
        self.assertEqual((await self.direct.balances(first)).get("TRX", "0.000000"), "0.000000")
        for credited in (2, 0):
            done = await import_json.run(self.direct, path, name, False)
            self.assertEqual((done.credited, done.credited_before), (credited, 2 - credited))
            self.assertEqual(done.wallets, 2)
            self.assertEqual((await self.direct.balances(first))["TRX"], "12.500000")
            self.assertEqual((await self.direct.balances(second))["TRX"], "0.100000")
        self.assertEqual((await self.direct.wallets(second))[0]["label"], "main")
        users[str(first)]["balance"] = "13"
        path.write_text(json.dumps(users))
        changed = await import_json.run(self.direct, path, name, False)
        self.assertIn(f"user {first}: the balance was not credited: idempotency_key_reused", changed.problems)
        self.assertEqual((await self.direct.balances(first))["TRX"], "12.500000")

    async def test_a_balance_that_another_has_to_approve_is_named_and_the_others_go_on(self) -> None:
        large, small = next(USERS), next(USERS)
        path = Path(self.folder.name) / "users.json"
        path.write_text(json.dumps({str(large): {"balance": "10000.000001"}, str(small): {"balance": "1"}}))
        name = f"test-{uuid4()}"
        for credited in (1, 0):
            done = await import_json.run(self.direct, path, name, False)
            self.assertEqual((done.credited, done.credited_before), (credited, 1 - credited))
            waits = f"user {large}: 10000.000001 TRX wait for another operator's approval"
            self.assertEqual((done.waiting, done.problems, done.whole), ([waits], [], False))
            self.assertIn(f"waiting: {waits}", done.lines(False))
            self.assertEqual((await self.direct.balances(large)).get("TRX", "0.000000"), "0.000000")
            self.assertEqual((await self.direct.balances(small))["TRX"], "1.000000")

    async def test_an_import_asks_what_came_of_an_approval(self) -> None:
        path = Path(self.folder.name) / "users.json"
        path.write_text(json.dumps({"1": {"balance": "10000.000001"}}))
        def refused(state: str) -> str:
            return (
                f"user 1: 10000.000001 TRX were not credited: the approval is {state}. Credit this user by hand;"
                " the same under another --name would credit everybody else once more"
            )

        for state, credited_before, problems in (
            ("approved", 1, []),
            ("rejected", 0, [refused("rejected")]),
            ("expired", 0, [refused("expired")]),
        ):
            answer = WaitingView(approval=SimpleNamespace(state=state))
            with mock.patch.object(self.direct, "_ask", mock.AsyncMock(return_value=answer)):
                done = await import_json.run(self.direct, path, "test", False)
            self.assertEqual((done.credited, done.credited_before), (0, credited_before), state)
            self.assertEqual((done.waiting, done.problems), ([], problems))

    async def test_a_file_that_is_none_imports_nothing(self) -> None:
        path = Path(self.folder.name) / "users.json"
        for content in ("", "{", "7", '"x"'):
            path.write_text(content)
            with self.assertRaises(import_json.BadFile):
                await import_json.run(self.direct, path, "x", False)
        with self.assertRaises(import_json.BadFile):
            await import_json.run(self.direct, Path(self.folder.name) / "none", "x", False)
        path.write_text("[]")
        with self.assertRaises(import_json.BadFile):
            await import_json.run(self.direct, path, "a name", False)

    async def test_errors_are_of_two_kinds(self) -> None:
        with self.assertRaises(Refused) as refused:
            await self.direct.order(str(uuid4()), self.user, RECEIVER, 1, 3_600, None)
        self.assertEqual(refused.exception.code, "energy_out_of_range")
        nobody = Backend("http://127.0.0.1:9", KEY, pause_s=0.01)
        with self.assertRaises(Unavailable):
            await nobody.balances(self.user)
        await nobody.close()

    def test_settings_do_not_show_secrets(self) -> None:
        shown = repr(Config("http://x", "sk_secret", "1:token", "http://t", "store"))
        self.assertNotIn("sk_secret", shown)
        self.assertNotIn("token", shown)

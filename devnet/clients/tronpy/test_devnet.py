"""tronpy builds, signs, broadcasts and reads back what an energy supplier does.

It talks to nothing but the devnet whose URLs are in DEVNET_NODE_URL and DEVNET_ADMIN_URL (instant blocks, solidified at
once). Run with `python -m unittest`.
"""

import json
import os
import time
import unittest
import urllib.request
from decimal import Decimal

from tronpy import Tron
from tronpy.exceptions import BadKey, BadSignature, ValidationError
from tronpy.keys import PrivateKey
from tronpy.providers import HTTPProvider

NODE = os.environ["DEVNET_NODE_URL"]
ADMIN = os.environ["DEVNET_ADMIN_URL"]
USDT = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
TRX = 1_000_000


def admin(path: str, body: dict) -> dict:
    request = urllib.request.Request(
        ADMIN + path, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


class DevnetTest(unittest.TestCase):
    def setUp(self):
        self.client = Tron(HTTPProvider(NODE))
        self.key, self.other_key = PrivateKey.random(), PrivateKey.random()
        self.me = self.key.public_key.to_base58check_address()
        self.other = self.other_key.public_key.to_base58check_address()
        admin("/faucet", {"address": self.me, "trx_sun": 100_000 * TRX, "usdt": 500 * TRX})
        admin("/faucet", {"address": self.other, "trx_sun": 1_000 * TRX})
        admin("/blocks", {"count": 1})

    def submit(self, builder, key=None):
        """Signs, broadcasts and waits for the receipt of a solidified block."""
        transaction = builder.build().sign(key or self.key)
        sent = transaction.broadcast()
        self.assertTrue(sent["result"])
        self.assertEqual(sent["txid"], transaction.txid)
        return sent.wait(timeout=10, interval=0.05, solid=True)

    def test_trx_transfer(self):
        receipt = self.submit(self.client.trx.transfer(self.me, self.other, 5 * TRX))
        self.assertTrue(265 <= receipt["receipt"]["net_usage"] <= 270, receipt)
        self.assertEqual(self.client.get_account_balance(self.other), Decimal(1_005))
        block = self.client.get_block(receipt["blockNumber"])
        self.assertIn(receipt["id"], [tx["txID"] for tx in block["transactions"]])
        transaction = self.client.get_transaction(receipt["id"])
        value = transaction["raw_data"]["contract"][0]["parameter"]["value"]
        self.assertEqual(value, {"owner_address": self.me, "to_address": self.other, "amount": 5 * TRX})

    def test_memo_and_fee_limit_survive_the_json_form(self):
        receipt = self.submit(self.client.trx.transfer(self.me, self.other, 1).memo("order 7"))
        self.assertEqual(receipt["fee"], TRX)
        self.assertEqual(self.client.get_transaction(receipt["id"])["raw_data"]["data"], "order 7")

    def test_stake_lend_take_back_unstake(self):
        self.submit(self.client.trx.freeze_balance(self.me, 50_000 * TRX, "ENERGY"))
        self.submit(self.client.trx.freeze_balance(self.me, 20_000 * TRX, "BANDWIDTH"))
        self.assertEqual(self.client.get_can_delegated_max_size(self.me)["max_size"], 50_000 * TRX)

        stake = 7_000 * TRX
        self.submit(self.client.trx.delegate_resource(self.me, self.other, stake, "ENERGY"))
        self.assertTrue(65_000 < self.client.get_energy(self.other) < 67_000)
        rows = self.client.get_delegated_resource_v2(self.me, self.other)["delegatedResource"]
        self.assertEqual(rows, [{"from": self.me, "to": self.other, "frozen_balance_for_energy": stake}])
        index = self.client.get_delegated_resource_account_index_v2(self.me)
        self.assertEqual(index, {"account": self.me, "toAccounts": [self.other]})

        self.submit(self.client.trx.delegate_resource(self.me, self.other, TRX, "BANDWIDTH", lock=True, lock_period=99))
        rows = self.client.get_delegated_resource_v2(self.me, self.other)["delegatedResource"]
        self.assertGreater(rows[1]["expire_time_for_bandwidth"], time.time() * 1000)
        with self.assertRaisesRegex(ValidationError, "insufficient delegatedFrozenBalance"):
            self.client.trx.undelegate_resource(self.me, self.other, TRX, "BANDWIDTH").build().sign(self.key).broadcast()

        self.submit(self.client.trx.undelegate_resource(self.me, self.other, stake, "ENERGY"))
        self.assertEqual(self.client.get_can_delegated_max_size(self.me)["max_size"], 50_000 * TRX)
        self.submit(self.client.trx.unfreeze_balance(self.me, "ENERGY", unfreeze_balance=10 * TRX))
        waiting = self.client.get_account(self.me)["unfrozenV2"]
        self.assertEqual((waiting[0]["type"], waiting[0]["unfreeze_amount"]), ("ENERGY", 10 * TRX))

    def test_usdt_with_rented_energy(self):
        self.submit(self.client.trx.freeze_balance(self.me, 50_000 * TRX, "ENERGY"))
        token = self.client.get_contract(USDT)
        self.assertEqual((token.functions.symbol(), token.functions.decimals()), ("USDT", 6))
        call = token.functions.transfer(self.other, 3 * TRX).with_owner(self.me).fee_limit(100 * TRX)
        receipt = self.submit(call)
        self.assertEqual(receipt["receipt"]["result"], "SUCCESS")
        self.assertEqual(receipt["log"][0]["address"], USDT)
        self.assertEqual(token.functions.balanceOf(self.other), 3 * TRX)

        self.submit(self.client.trx.delegate_resource(self.me, self.other, 7_000 * TRX, "ENERGY"))
        before = self.client.get_account(self.other)["balance"]
        call = token.functions.transfer(self.me, TRX).with_owner(self.other).fee_limit(100 * TRX)
        receipt = self.submit(call, self.other_key)
        self.assertEqual(receipt["receipt"]["energy_usage"], 64_285)
        self.assertEqual(before - self.client.get_account(self.other)["balance"], receipt.get("fee", 0))

    def test_a_failed_call_is_in_a_block(self):
        token = self.client.get_contract(USDT)
        call = token.functions.transfer(self.me, 1).with_owner(self.other).fee_limit(100 * TRX)
        receipt = self.submit(call, self.other_key)
        self.assertEqual((receipt["result"], receipt["receipt"]["result"]), ("FAILED", "REVERT"))

    def test_refusals(self):
        unknown = PrivateKey.random().public_key
        with self.assertRaisesRegex(ValidationError, f"Account.{unknown.to_hex_address()}. not exists"):
            self.submit(self.client.trx.freeze_balance(self.me, 10 * TRX, "ENERGY"))
            self.submit(self.client.trx.delegate_resource(self.me, unknown.to_base58check_address(), TRX, "ENERGY"))
        transaction = self.client.trx.transfer(self.me, self.other, 1).build()
        with self.assertRaises(BadKey):
            transaction.sign(self.other_key)
        signature = self.other_key.sign_msg_hash(bytes.fromhex(transaction.txid))
        transaction.set_signature([signature.hex()])
        with self.assertRaisesRegex(BadSignature, "is not contained of permission"):
            transaction.broadcast()

    def test_chain_queries(self):
        parameters = {row["key"]: row.get("value", 0) for row in self.client.get_chain_parameters()}
        self.assertEqual((parameters["getEnergyFee"], parameters["getTransactionFee"]), (100, 1_000))
        self.assertGreaterEqual(self.client.get_latest_block_number(), self.client.get_latest_solid_block_number())
        self.assertEqual(self.client.get_bandwidth(self.other), 600)


if __name__ == "__main__":
    unittest.main()

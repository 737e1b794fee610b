"""One DelegateResource transaction: its protobuf, its id, its signature."""

import hashlib

import base58
from coincurve import PrivateKey

TYPE_URL = b"type.googleapis.com/protocol.DelegateResourceContract"
DELEGATE_RESOURCE, ENERGY = 57, 1


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def data(field: int, value: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(value)) + value


def sign_delegation(private_key: str, owner: str, receiver: str, amount_sun: int, block_id: str, timestamp_ms: int,
                    expiration_ms: int) -> tuple[str, bytes]:
    """The transaction's id in hex, and the whole signed transaction."""
    body = (data(1, base58.b58decode_check(owner)) + number(2, ENERGY) + number(3, amount_sun)
            + data(4, base58.b58decode_check(receiver)))
    contract = number(1, DELEGATE_RESOURCE) + data(2, data(1, TYPE_URL) + data(2, body))
    reference = bytes.fromhex(block_id)
    raw = (data(1, reference[6:8]) + data(4, reference[8:16]) + number(8, expiration_ms) + data(11, contract)
           + number(14, timestamp_ms))
    txid = hashlib.sha256(raw).digest()
    signature = PrivateKey(bytes.fromhex(private_key)).sign_recoverable(txid, hasher=None)
    return txid.hex(), data(1, raw) + data(2, signature)

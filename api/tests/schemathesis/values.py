"""Values: addresses, a right body for each operation that takes one, and texts and numbers that break those who trust them."""

import os
from datetime import datetime, timedelta, timezone

# wallets of the supplier, a token's contract, and strangers
ADDRESSES = [
    "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8",
    "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH",
    "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
    "TZ4UXDV5ZhNW7fb2AMSbgfAEZ7hWsnYS2g",
    "TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc",
    "TSeJkUh4Qv67VNFwY8LaAxERygNdy6NQZK",
]
STRANGER = ADDRESSES[3]
WALLET = "00000000-0000-7000-8000-0000000000a1"
ORDER = {"receiver": STRANGER, "energy": 65_000, "duration_s": 3_600}
REASON = {"reason": "said by phone"}
PASSWORD = "seven purple lamps under water"

RIGHT = {
    "POST /api/orders": {"user_id": 42, **ORDER},
    "POST /api/orders/batch": {"mode": "best_effort", "orders": [{"user_id": 42, **ORDER}]},
    "POST /api/orders/{id}/extend": {"duration_s": 3_600},
    "POST /api/standing-orders": {
        "user_id": 42,
        "receiver": ADDRESSES[5],
        "keep_energy": 131_000,
        "duration_s": 3_600,
        "budget": "100",
        "until": (datetime.now(timezone.utc) + timedelta(days=30)).isoformat(),
    },
    "PUT /api/settings": {"base_version": 2, "changes": {"orders.quote_s": 90}, **REASON},
    "POST /api/settings/versions/{version}/restore": {"base_version": 2, **REASON},
    "POST /api/quotes": {"energy": 65_000, "duration_s": 3_600, "hold_stock": True},
    "POST /api/users/{user_id}/deposit": {"asset": "TRX", "amount": "12.5", **REASON},
    "POST /api/users/{user_id}/deduct": {"asset": "TRX", "amount": "0.5", **REASON},
    "POST /api/users/{user_id}/refund": {"asset": "TRX", "amount": "0.5", **REASON},
    "POST /api/users/{user_id}/payouts": {"asset": "TRX", "amount": "2", "to": STRANGER},
    "POST /api/users/{user_id}/payout-addresses": {"address": STRANGER, "label": "cold"},
    "POST /api/users/{user_id}/deposits": {"asset": "TRX", "way": "amount", "order": ORDER},
    "POST /api/users/{user_id}/exchange": {"from": "USDT", "to": "TRX", "amount": "1", "min_receive": "0.1"},
    "POST /api/wallets/users/{user_id}": {"address": STRANGER, "label": "main"},
    "POST /api/supplier-wallets/add": {"private_key": "11" * 32, "label": "hot", "permission_id": 2},
    "POST /api/supplier-wallets/{id}/key": {"private_key": "11" * 32, "permission_id": 2, **REASON},
    "POST /api/supplier-wallets/update-balances": {"ids": [WALLET]},
    "PUT /api/supplier-wallets/{id}/toggle": {"enabled": True},
    "POST /api/operations/jobs/redrive": {"kind": "wallets.sync", "object_id": "o1", **REASON},
    "POST /api/operations/jobs/drop": {"all": True, "kind": "wallets.sync", "object_id": "o2", **REASON},
    "POST /api/operations/stuck/redrive": {"object_id": WALLET, **REASON},
    "POST /api/operations/findings/{id}/resolve": REASON,
    "POST /api/prices": {
        "bands": [
            {
                "energy_min": 10_000,
                "energy_max": 1_000_000,
                "duration_min_s": 300,
                "duration_max_s": 86_400,
                "price_millisun_per_energy": 50_000,
            }
        ],
        **REASON,
    },
    "POST /api/operations/orders/retry": {"orders": [WALLET], **REASON},
    "POST /api/operations/orders/refund": {"orders": [WALLET], **REASON},
    "POST /api/operations/orders/note": {"orders": [WALLET], "note": "calls back on Monday"},
    "POST /api/approvals/{id}/approve": REASON,
    "POST /api/approvals/{id}/reject": REASON,
    "POST /api/operations/payouts/{id}/approve": REASON,
    "POST /api/operations/payouts/{id}/reject": REASON,
    "POST /api/operations/deposits/{id}/rule": {"ruling": "credit", "user_id": 7, **REASON},
    "POST /api/operations/stakings": {"wallet_id": WALLET, "action": "stake", "resource": "energy", "amount": "100", **REASON},
    "PUT /api/operations/queues/{queue}": {"paused": True, **REASON},
    "PUT /api/operations/switches/{name}": {"enabled": True, **REASON},
    "POST /api/auth/sign-in": {"email": "plain@example.org", "password": PASSWORD},
    "POST /api/auth/refresh": {"refresh_token": os.environ["SWITCHYARD_REFRESH"]},
    "POST /api/auth/password": {"current_password": PASSWORD, "new_password": "nine green doors over the hill"},
    "POST /api/auth/totp": {"password": PASSWORD},
    "POST /api/auth/totp/confirm": {"totp_code": "287082"},
    "POST /api/operators": {"email": "carl@example.org", "name": "Carl", "roles": ["observer"]},
    "PATCH /api/operators/{id}": {"name": "Dora", "roles": ["observer"], "enabled": True},
    "POST /api/operators/{id}/reset-password": REASON,
    "POST /api/operators/{id}/reset-totp": REASON,
    "PUT /api/roles/{name}": {"title": "Night shift", "permissions": ["jobs:read"]},
    "POST /api/keys": {"name": "bot", "scopes": ["orders:read"], "allowed_from": ["10.0.0.0/8"]},
    "PUT /api/keys/{id}/terms": {"expires_at": "2037-01-01T00:00:00Z", "rate_limit_per_minute": 10, "daily_limit": "500"},
    "POST /api/keys/{id}/rotate": {"overlap_hours": 1},
    "POST /api/keys/{id}/signing": {"overlap_hours": 1},
    "POST /api/users/{user_id}/block": REASON,
    "POST /api/webhooks": {"url": "https://shop.example/hook", "description": "the shop", "event_types": ["order.completed"]},
    "PATCH /api/webhooks/{id}": {"description": "the shop", "event_types": ["order.completed"], "enabled": True},
    "POST /api/webhooks/{id}/rotate-secret": {},
    "POST /api/webhooks/{id}/test": {},
    "POST /api/webhooks/{id}/deliveries/{delivery_id}/resend": {},
    "POST /api/webhooks/{id}/resend": {"state": "delivered", "since": "2026-01-01T00:00:00Z", **REASON},
}

ODD_TEXTS = [
    "\x00",
    "a\x00b",
    "0,\x00,b",
    "",
    " ",
    "\u202e\ufeff\u0301\U0001f600\uffff",
    "%00%ff%2e%2e%2f",
    "../../../etc/passwd",
    "'; DROP TABLE orders; --",
    "x" * 10_000,
    "9" * 400,
    "9223372036854.775807",
    "-0.0000001",
    "1e309",
    "NaN",
    "-262143-01-01T00:00:00Z",
    "+262142-12-31T23:59:59Z",
    "9999-12-31T23:59:60.999999999Z",
    # places in lists: a time in microseconds, a kind, an object
    "-8200000000000000000,a,b",
    "8200000000000000000,a,b",
]
ODD_NUMBERS = [0, -1, 2**31 - 1, 2**31, -(2**31), 2**63 - 1, 2**63, -(2**63), 2**64, 10**400, 0.5, 1e308]

"""Switchyard as the bot uses it: bounded in time, repeated where that is safe, and with one kind of error for each cause.

Everything that changes something is sent under an idempotency key of ours, so that it may be sent again as often as it takes:
it is carried out once.
"""

import asyncio
import logging
from typing import Any, Optional
from uuid import UUID, uuid4

import httpx

from switchyard_client import AuthenticatedClient
from switchyard_client.api.deposits import open_deposit
from switchyard_client.api.orders import create_order, list_orders
from switchyard_client.api.prices import create_quote
from switchyard_client.api.user_wallets import create_user_wallet, delete_user_wallet, list_user_wallets
from switchyard_client.api.users import deposit_user_balance, get_user_balance
from switchyard_client.models import (
    AdjustBalance,
    CreateOrder,
    CreateQuote,
    CreateUserWallet,
    OpenDepositBody,
    OrderView,
    ProblemView,
    QuoteView,
    WaitingView,
)

log = logging.getLogger(__name__)

ATTEMPTS = 3
PAUSE_S = 0.4
PAUSE_MAX_S = 5.0
# statuses at which the same request may succeed a moment later
PASSING = {408, 425, 429, 500, 502, 503, 504}
# what is wrong with our key, and says nothing of the request: it may have been carried out before
OF_THE_KEY = {"unauthorized", "address_not_allowed", "insufficient_scope"}


class Refused(Exception):
    """Switchyard said no, and will say so again. Nothing was changed."""

    def __init__(self, problem: ProblemView):
        super().__init__(problem.code)
        self.code = problem.code
        self.title = problem.title
        self.title_zh = problem.title_zh


class Waiting(Exception):
    """Above what one may decide alone: nothing is booked before another operator agrees. Asked again under the same key,
    Switchyard says what came of it."""

    def __init__(self, state: str):
        super().__init__(state)
        # "open", or "rejected" and "expired": then it never is booked under this key
        self.state = state


class Unavailable(Exception):
    """Nobody answered in time. What was asked for may have been done: ask again under the same key."""


class Backend:
    """One connection pool for all that the bot asks."""

    def __init__(self, url: str, key: str, *, attempts: int = ATTEMPTS, pause_s: float = PAUSE_S, timeout_s: float = 10.0):
        self._client = AuthenticatedClient(base_url=url, token=key, timeout=httpx.Timeout(timeout_s))
        self._attempts = attempts
        self._pause_s = pause_s

    async def close(self) -> None:
        """Ends the connections."""
        await self._client.get_async_httpx_client().aclose()

    async def _ask(self, route: Any, **arguments: Any) -> Any:
        why = "no attempt"
        for attempt in range(self._attempts):
            if attempt:
                await asyncio.sleep(min(self._pause_s * 2 ** (attempt - 1), PAUSE_MAX_S))
            try:
                answer = await route.asyncio_detailed(client=self._client, **arguments)
            except (httpx.HTTPError, ValueError, KeyError) as error:
                # a broken connection, or a proxy's page in place of an answer
                why = type(error).__name__
                continue
            if answer.status_code < 300:
                return answer.parsed
            if answer.status_code in PASSING or not isinstance(answer.parsed, ProblemView):
                why = str(int(answer.status_code))
                continue
            if answer.parsed.code in OF_THE_KEY:
                log.error("Switchyard does not take our key: %s", answer.parsed.code)
                raise Unavailable(answer.parsed.code)
            raise Refused(answer.parsed)
        raise Unavailable(why)

    async def balances(self, user: int) -> dict[str, str]:
        """What a user has, by asset."""
        view = await self._ask(get_user_balance, user_id=user)
        return {money.asset: money.amount for money in view.balances}

    async def quote(self, energy: int, duration_s: int) -> QuoteView:
        """Holds the price, and the energy where so much is free; the price alone where it is not."""
        mark = f"quote-{uuid4()}"
        try:
            body = CreateQuote(energy=energy, duration_s=duration_s, hold_stock=True)
            return await self._ask(create_quote, body=body, idempotency_key=mark)
        except Refused as refused:
            if refused.code not in ("no_stock", "held_too_much"):
                raise
        body = CreateQuote(energy=energy, duration_s=duration_s)
        return await self._ask(create_quote, body=body, idempotency_key=f"{mark}-price")

    async def order(self, mark: str, user: int, receiver: str, energy: int, duration_s: int, quote: Optional[str]) -> OrderView:
        """Places an order once for its mark, however often it is asked for."""
        body = CreateOrder(
            user_id=user,
            receiver=receiver,
            energy=energy,
            duration_s=duration_s,
            quote_id=UUID(quote) if quote else None,
        )
        return await self._ask(create_order, body=body, idempotency_key=mark)

    async def orders(self, user: int, limit: int = 5) -> list[dict[str, Any]]:
        """A user's last orders, newest first."""
        page = await self._ask(list_orders, user_id=user, limit=limit)
        return [order.to_dict() for order in page.items]

    async def deposit(self, mark: str, user: int, asset: str, way: str, amount: Optional[str] = None) -> Any:
        """Announces that a user will pay; tells where."""
        body = OpenDepositBody(asset=asset, way=way)
        if amount is not None:
            body.amount = amount
        return await self._ask(open_deposit, user_id=user, body=body, idempotency_key=mark)

    async def wallets(self, user: int) -> list[dict[str, Any]]:
        """Addresses that a user keeps."""
        kept = await self._ask(list_user_wallets, user_id=user)
        return [wallet.to_dict() for wallet in kept.items]

    async def keep_wallet(self, user: int, address: str, label: Optional[str] = None) -> None:
        """Keeps an address; it is there once, however often it is kept."""
        await self._ask(create_user_wallet, user_id=user, body=CreateUserWallet(address=address, label=label))

    async def forget_wallet(self, user: int, address: str) -> None:
        """Forgets an address."""
        await self._ask(delete_user_wallet, user_id=user, address=address)

    async def credit(self, mark: str, user: int, asset: str, amount: str, reason: str) -> bool:
        """Books money to a user once for its mark. Answers whether it was booked before; raises Waiting for what is not."""
        body = AdjustBalance(amount=amount, reason=reason, asset=asset)
        view = await self._ask(deposit_user_balance, user_id=user, body=body, idempotency_key=mark)
        if not isinstance(view, WaitingView):
            return view.replayed
        if view.approval.state == "approved":
            return True
        raise Waiting(view.approval.state)

"""The conversation: menus, offers and orders."""

import datetime
import re
from typing import Any, Awaitable, Callable, Optional

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

from .backend import Backend, Refused, Unavailable
from .config import Config
from .store import Offer, Store
from .texts import language_of, text

ADDRESS = re.compile(r"T[1-9A-HJ-NP-Za-km-z]{33}")
# energy and seconds: one transfer of USDT to an address that has some, or to one that has none
PACKS = [(65_000, 3_600), (131_000, 3_600), (65_000, 86_400), (131_000, 86_400)]
BUTTONS = ["balance", "deposit", "rent", "wallets", "history"]
RESEND_S = 10


class Bot:
    """One bot: a backend, a memory and Telegram's side of it."""

    def __init__(self, backend: Backend, store: Store):
        self._backend = backend
        self._store = store

    def application(self, config: Config) -> Application:
        """Telegram's application with everything that users can do."""
        builder = ApplicationBuilder().token(config.telegram_token)
        builder = builder.base_url(f"{config.telegram_url}/bot").base_file_url(f"{config.telegram_url}/file/bot")
        application = builder.build()
        commands = {
            "start": self.menu,
            "balance": self.balance,
            "deposit": self.deposit,
            "rent": self.rent,
            "wallets": self.wallets,
            "history": self.history,
        }
        for name, handler in commands.items():
            application.add_handler(CommandHandler(name, handler))
            application.add_handler(CallbackQueryHandler(handler, pattern=f"^{name}$"))
        application.add_handler(CallbackQueryHandler(self.packs, pattern=r"^w:"))
        application.add_handler(CallbackQueryHandler(self.quote, pattern=r"^p:"))
        application.add_handler(CallbackQueryHandler(self.confirm, pattern=r"^ok:"))
        application.add_handler(MessageHandler(filters.TEXT & ~filters.COMMAND, self.said))
        application.job_queue.run_repeating(self.resend, RESEND_S, first=1)
        return application

    async def menu(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """What there is to do."""
        keys = [[_button(_language(update), f"b_{name}", name)] for name in BUTTONS]
        await _say(update, "menu", keys)

    async def balance(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """What the user has; of the last answer if there is none now."""

        def shown(balances: dict[str, str]) -> str:
            lines = "\n".join(f"{amount} {asset}" for asset, amount in sorted(balances.items(), reverse=True))
            return text(_language(update), "balance", lines=lines)

        await self._read(update, "balance", self._backend.balances, shown)

    async def history(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """The user's last orders; of the last answer if there is none now."""

        def shown(orders: list[dict[str, Any]]) -> str:
            if not orders:
                return text(_language(update), "no_history")
            lines = "\n".join(
                f"{order['created_at'][:16].replace('T', ' ')}  {order['energy']}  {order['price']['amount']} TRX  {order['state']}"
                for order in orders
            )
            return text(_language(update), "history", lines=lines)

        await self._read(update, "history", self._backend.orders, shown)

    async def wallets(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Addresses that the user keeps; of the last answer if there is none now."""

        def shown(wallets: list[dict[str, Any]]) -> str:
            if not wallets:
                return text(_language(update), "no_wallets")
            lines = "\n".join(f"{wallet['address']}  {wallet.get('label') or ''}".rstrip() for wallet in wallets)
            return text(_language(update), "wallets", lines=lines)

        await self._read(update, "wallets", self._backend.wallets, shown)

    async def _read(
        self,
        update: Update,
        kind: str,
        ask: Callable[[int], Awaitable[Any]],
        shown: Callable[[Any], str],
    ) -> None:
        user = _user(update)
        try:
            answer = await ask(user)
            self._store.remember(user, kind, answer)
            await _reply(update, shown(answer))
        except Unavailable:
            known = self._store.recall(user, kind)
            if known is None:
                await _say(update, "away")
                return
            at = datetime.datetime.fromtimestamp(known[1], datetime.timezone.utc).strftime("%Y-%m-%d %H:%M")
            await _reply(update, shown(known[0]) + text(_language(update), "stale", at=at))

    async def deposit(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Where to pay."""
        # the user's own address is the same each time: one announcement a day is enough
        user = _user(update)
        mark = f"bot-deposit-{user}-{datetime.datetime.now(datetime.timezone.utc):%Y%m%d}"
        try:
            deposit = await self._backend.deposit(mark, user, "TRX", "address")
            await _say(update, "deposit", address=deposit.address)
        except Refused as refused:
            await _refused(update, refused)
        except Unavailable:
            await _say(update, "away")

    async def said(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """An address is kept."""
        found = ADDRESS.fullmatch((update.message.text or "").strip())
        if found is None:
            await _say(update, "not_understood")
            return
        try:
            await self._backend.keep_wallet(_user(update), found.group())
            keys = [[_button(_language(update), "b_rent", f"w:{found.group()}")]]
            await _say(update, "kept", keys, address=found.group())
        except Refused as refused:
            await _refused(update, refused)
        except Unavailable:
            await _say(update, "away")

    async def rent(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """For which address."""
        try:
            wallets = await self._backend.wallets(_user(update))
        except Unavailable:
            await _say(update, "away")
            return
        if not wallets:
            await _say(update, "no_wallets")
            return
        keys = [[InlineKeyboardButton(w.get("label") or w["address"], callback_data=f"w:{w['address']}")] for w in wallets[:20]]
        await _say(update, "which_wallet", keys)

    async def packs(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """How much, and for how long."""
        language = _language(update)
        receiver = update.callback_query.data.removeprefix("w:")
        keys = [
            [
                InlineKeyboardButton(
                    text(language, "pack", energy=energy, hours=seconds // 3_600),
                    callback_data=f"p:{receiver}:{energy}:{seconds}",
                )
            ]
            for energy, seconds in PACKS
        ]
        await _say(update, "which_pack", keys)

    async def quote(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """A price that holds, to be confirmed."""
        language = _language(update)
        _, receiver, energy, seconds = update.callback_query.data.split(":")
        pack = (int(energy), int(seconds))
        if pack not in PACKS or not ADDRESS.fullmatch(receiver):
            await _say(update, "no_offer")
            return
        try:
            quote = await self._backend.quote(*pack)
        except Refused as refused:
            await _refused(update, refused)
            return
        except Unavailable:
            await _say(update, "away")
            return
        offer = Offer(
            quote_id=str(quote.id),
            user_id=_user(update),
            chat_id=update.effective_chat.id,
            language=language,
            receiver=receiver,
            energy=pack[0],
            duration_s=pack[1],
            state="offered",
        )
        self._store.offer(offer)
        price = quote.price.amount
        keys = [[InlineKeyboardButton(text(language, "b_confirm", price=price), callback_data=f"ok:{quote.id}")]]
        until = f"{quote.expires_at:%H:%M:%S}"
        await _say(
            update, "offer", keys, energy=pack[0], hours=pack[1] // 3_600, receiver=receiver, price=price, until=until
        )

    async def confirm(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """The order: once for an offer, however often the button is pressed."""
        offer = self._store.offer_of(update.callback_query.data.removeprefix("ok:"), _user(update))
        if offer is None or offer.state == "refused":
            await _say(update, "no_offer")
            return
        # on disk before it is sent: if we die now, it is asked for again under the same key
        self._store.move(offer.quote_id, "offered", "sending")
        answer, _ = await self._place(offer)
        await _reply(update, answer or text(offer.language, "unknown"))

    async def _place(self, offer: Offer) -> tuple[Optional[str], bool]:
        """What to tell of an order, `None` where its answer is still not known; and whether we are the first to know."""
        try:
            order = await self._backend.order(
                offer.mark, offer.user_id, offer.receiver, offer.energy, offer.duration_s, offer.quote_id
            )
        except Unavailable:
            return None, False
        except Refused as refused:
            first = self._store.move(offer.quote_id, "sending", "refused")
            return _refusal(offer.language, refused), first
        first = self._store.move(offer.quote_id, "sending", "placed")
        return text(offer.language, "placed", order=order.id), first

    async def resend(self, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Asks again about orders whose answer is not known, and tells what became of them."""
        for offer in self._store.sending():
            answer, first = await self._place(offer)
            if answer is None:
                return  # nobody answers: the others later, too
            if first:
                await context.bot.send_message(offer.chat_id, answer)


def _user(update: Update) -> int:
    return update.effective_user.id


def _language(update: Update) -> str:
    return language_of(update.effective_user.language_code)


def _button(language: str, name: str, data: str) -> InlineKeyboardButton:
    return InlineKeyboardButton(text(language, name), callback_data=data)


def _refusal(language: str, refused: Refused) -> str:
    return text(language, "refused", title=refused.title_zh if language == "zh" else refused.title)


async def _refused(update: Update, refused: Refused) -> None:
    await _reply(update, _refusal(_language(update), refused))


async def _say(
    update: Update, name: str, keys: Optional[list[list[InlineKeyboardButton]]] = None, **values: object
) -> None:
    await _reply(update, text(_language(update), name, **values), keys)


async def _reply(update: Update, words: str, keys: Optional[list[list[InlineKeyboardButton]]] = None) -> None:
    if update.callback_query:
        await update.callback_query.answer()
    await update.effective_chat.send_message(words, reply_markup=InlineKeyboardMarkup(keys) if keys else None)

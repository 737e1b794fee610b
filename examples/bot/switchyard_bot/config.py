"""What the bot is told by its environment."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    """Settings of one bot. Secrets never show in its text."""

    switchyard_url: str
    switchyard_key: str
    telegram_token: str
    telegram_url: str
    store: str

    def __repr__(self) -> str:
        return f"Config(switchyard_url={self.switchyard_url!r}, store={self.store!r})"

    @classmethod
    def from_environment(cls, *, telegram: bool = True) -> "Config":
        """The settings; names what is missing."""

        def needed(name: str) -> str:
            value = os.environ.get(name, "")
            if not value:
                raise SystemExit(f"{name} is not set; see examples/bot/README.md")
            return value

        return cls(
            switchyard_url=needed("SWITCHYARD_URL").rstrip("/"),
            switchyard_key=needed("SWITCHYARD_KEY"),
            telegram_token=needed("TELEGRAM_TOKEN") if telegram else "",
            telegram_url=os.environ.get("TELEGRAM_URL", "https://api.telegram.org"),
            store=os.environ.get("BOT_STORE", "bot.sqlite3"),
        )

"""`python -m switchyard_bot`: runs the bot, or imports users of an older one."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from . import import_json
from .backend import Backend, Unavailable
from .bot import Bot
from .config import Config
from .store import Store


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="switchyard_bot")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="answer users on Telegram")
    bring = commands.add_parser("import-json", help="bring balances and addresses of an older bot's users over")
    bring.add_argument("file", type=Path)
    bring.add_argument("--name", required=True, help="the import's name; the same name books nothing twice")
    bring.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    arguments = parser.parse_args()
    # the libraries' own lines at INFO hold the token in their URLs
    logging.basicConfig(level=logging.WARNING)
    if arguments.command == "run":
        return run()
    return asyncio.run(bring_over(arguments))


def run() -> int:
    """Runs until it is told to stop."""
    config = Config.from_environment()
    store = Store(config.store)
    backend = Backend(config.switchyard_url, config.switchyard_key)
    try:
        Bot(backend, store).application(config).run_polling()
    finally:
        store.close()
    return 0


async def bring_over(arguments: argparse.Namespace) -> int:
    """Imports a file, and says what was done."""
    config = Config.from_environment(telegram=False)
    backend = Backend(config.switchyard_url, config.switchyard_key)
    try:
        report = await import_json.run(backend, arguments.file, arguments.name, arguments.dry_run)
    except import_json.BadFile as error:
        print(error, file=sys.stderr)
        return 2
    except Unavailable as error:
        print(f"Switchyard does not answer ({error}); run the same again, nothing is booked twice", file=sys.stderr)
        return 3
    finally:
        await backend.close()
    print("\n".join(report.lines(arguments.dry_run)))
    return 0 if report.whole else 1


if __name__ == "__main__":
    sys.exit(main())

"""A Telegram bot that sells energy from Switchyard."""

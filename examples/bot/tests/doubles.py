"""Telegram's Bot API at its HTTP level, and a line to Switchyard that can fail."""

import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Optional

BOT = {"id": 1, "is_bot": True, "first_name": "bot", "username": "energy_bot"}


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Tests say enough."""

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Http(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Whoever asked has gone."""


class _Server:
    def __init__(self, handler: type[BaseHTTPRequestHandler]):
        self._http = _Http(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Listens no longer."""
        self._http.shutdown()
        self._http.server_close()


class Telegram(_Server):
    """Hands updates to the bot and keeps what it says."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self._updates: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        double = self

        class Handler(_Quiet):
            def do_POST(self) -> None:
                method = self.path.rsplit("/", 1)[-1]
                values = dict(urllib.parse.parse_qsl(self.body().decode()))
                result = double._do(method, values)
                self.answer(200, json.dumps({"ok": True, "result": result}).encode())

        super().__init__(Handler)

    def _do(self, method: str, values: dict[str, str]) -> Any:
        if method == "getMe":
            return BOT
        if method == "getUpdates":
            offset = int(values.get("offset", 0))
            with self._lock:
                found = [update for update in self._updates if update["update_id"] >= offset]
            if not found:
                time.sleep(0.05)
            return found
        if method == "sendMessage":
            with self._lock:
                self.said.append(values)
            return self._message(int(values["chat_id"]), values["text"], BOT)
        return True

    def _message(self, chat: int, words: str, sender: dict[str, Any]) -> dict[str, Any]:
        return {
            "message_id": 1,
            "date": int(time.time()),
            "chat": {"id": chat, "type": "private"},
            "from": sender,
            "text": words,
        }

    def _update(self, **what: Any) -> None:
        with self._lock:
            self._updates.append({"update_id": len(self._updates) + 1, **what})

    def write(self, user: int, words: str, language: str = "en") -> None:
        """A user writes to the bot."""
        sender = {"id": user, "is_bot": False, "first_name": "user", "language_code": language}
        message = self._message(user, words, sender)
        if words.startswith("/"):
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(words)}]
        self._update(message=message)

    def press(self, user: int, data: str, language: str = "en") -> None:
        """A user presses a button."""
        sender = {"id": user, "is_bot": False, "first_name": "user", "language_code": language}
        query = {
            "id": str(time.time_ns()),
            "from": sender,
            "chat_instance": "1",
            "data": data,
            "message": self._message(user, "menu", BOT),
        }
        self._update(callback_query=query)

    def to(self, user: int) -> list[dict[str, Any]]:
        """What the bot said to a user so far."""
        with self._lock:
            return [said for said in self.said if said["chat_id"] == str(user)]


class Line(_Server):
    """Between the bot and Switchyard."""

    def __init__(self, backend: str):
        # None: it works; "down": nobody answers; "lost": what is asked is done, and its answer is lost; "key": ours is not taken
        self.fault: Optional[str] = None
        self.asked: list[str] = []
        double = self

        class Handler(_Quiet):
            def _pass(self) -> None:
                body = self.body()
                double.asked.append(f"{self.command} {self.path}")
                if double.fault == "down":
                    self.answer(502, b"<html>bad gateway</html>", "text/html")
                    return
                headers = {
                    name: value if double.fault != "key" or name.lower() != "authorization" else "Bearer none"
                    for name, value in self.headers.items()
                    if name.lower() in ("authorization", "content-type", "idempotency-key")
                }
                request = urllib.request.Request(
                    backend + self.path, data=body or None, headers=headers, method=self.command
                )
                try:
                    with urllib.request.urlopen(request, timeout=20) as answer:
                        status, content = answer.status, answer.read()
                except urllib.error.HTTPError as error:
                    status, content = error.code, error.read()
                if double.fault == "lost" and self.command == "POST":
                    self.close_connection = True
                    self.connection.close()
                    return
                self.answer(status, content)

            do_GET = do_POST = do_DELETE = _pass

        super().__init__(Handler)

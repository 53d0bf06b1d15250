"""Firefox and WebKit, as far as they are on the system: W3C's WebDriver, over Marionette's socket or over HTTP.

Playwright drives builds of its own alone, and Selenium wants a driver for Firefox that Debian does not have. What the
tests need is five commands, which both engines understand in the same words.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

PATIENCE = 30.0
"""Seconds in which an engine must have started, and a script must have ended."""

KEYS = {
    "Tab": "\ue004", "Enter": "\ue007", "Shift": "\ue008", "Escape": "\ue00c", "ArrowRight": "\ue014",
}  # fmt: skip

ENGINES = ("firefox", "webkit")

PACKAGES = ("firefox-esr", "webkit2gtk-driver", "xvfb")
"""Debian's names of what `started` looks for."""

MINI_BROWSERS = ("/usr/lib/*/webkit2gtk-4.*/MiniBrowser", "/usr/libexec/webkit2gtk-4.*/MiniBrowser")


class Engine(ABC):
    """A browser with one page, driven by WebDriver's commands (https://www.w3.org/TR/webdriver2/)."""

    @abstractmethod
    def _send(self, name: str, path: str, parameters: dict[str, Any]) -> Any:
        """Send a command, by its name in Marionette or its path in HTTP, and return what it answers."""

    def open(self, address: str) -> None:
        """Go to an address, and wait until the page has loaded."""
        self._send("Navigate", "url", {"url": address})

    def run(self, body: str, *arguments: Any) -> Any:
        """Return what the body of an async function returns in the page, given `args`."""
        script = (
            "const [args, done] = [[...arguments].slice(0, -1), arguments[arguments.length - 1]];"
            f"(async () => {{ {body} }})().then((value) => done([value ?? null, null]), (e) => done([null, `${{e}}`]));"
        )
        value, error = self._send("ExecuteAsyncScript", "execute/async", {"script": script, "args": [*arguments]})
        assert error is None, error
        return value

    def wait(self, condition: str) -> None:
        """Wait until an expression is true in the page."""
        pause = "await new Promise((go) => setTimeout(go, 50));"
        met = self.run(f"for (let i = 0; i < 200; i++) {{ if ({condition}) return true; {pause} }}")
        assert met, f"never: {condition}"

    def press(self, *keys: str) -> None:
        """Press keys together, such as "Shift" and "Enter", and let go of them."""
        codes = [KEYS[key] for key in keys]
        strokes = [{"type": "keyDown", "value": code} for code in codes]
        strokes += [{"type": "keyUp", "value": code} for code in reversed(codes)]
        self._act({"type": "key", "id": "keys", "actions": strokes})

    def point(self, selector: str, number: int = 0, *, click: bool = False) -> None:
        """Move the mouse to the middle of an element, and press there."""
        x, y = self.run(
            "const found = document.querySelectorAll(args[0])[args[1]]; found.scrollIntoView({ block: 'center' });"
            "const box = found.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2];",
            selector,
            number,
        )
        strokes: list[dict[str, Any]] = [{"type": "pointerMove", "x": int(x), "y": int(y)}]
        if click:
            strokes += [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self._act({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": strokes})

    def _act(self, *sources: dict[str, Any]) -> None:
        self._send("PerformActions", "actions", {"actions": [*sources]})


class Firefox(Engine):
    """Firefox without a window, over its own Marionette."""

    def __init__(self, stack: ExitStack, program: str) -> None:
        profile, port = _folder(stack), _free_port()
        preferences = {"marionette.port": port, "browser.shell.checkDefaultBrowser": False, "app.update.auto": False}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items()]
        (profile / "user.js").write_text("".join(lines), encoding="utf-8")
        command = [program, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
        _run(stack, command, {"HOME": str(profile)})
        self._socket = stack.enter_context(_patiently(lambda: socket.create_connection(("127.0.0.1", port))))
        self._socket.settimeout(PATIENCE)
        self._reader = stack.enter_context(self._socket.makefile("rb"))
        self._read()
        self._sent = 0
        self._send("NewSession", "", {})
        self._send("SetTimeouts", "", {"script": PATIENCE * 1000})

    def _read(self) -> Any:
        size = b""
        while (digit := self._reader.read(1)) != b":":
            if not digit:
                raise ConnectionError("it has ended")
            size += digit
        return json.loads(self._reader.read(int(size)))

    def _send(self, name: str, path: str, parameters: dict[str, Any]) -> Any:
        self._sent += 1
        text = json.dumps([0, self._sent, f"WebDriver:{name}", parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(text), text))
        _, _, error, result = self._read()
        assert error is None, error
        return result.get("value") if isinstance(result, dict) else result


class WebKit(Engine):
    """WebKitGTK's MiniBrowser, on a screen that nobody sees, over its driver."""

    def __init__(self, stack: ExitStack, driver: str, browser: str, screen: str | None) -> None:
        # Pages are ours, and root has no sandbox.
        environment = {"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1", "HOME": str(_folder(stack))}
        if screen:
            read, write = os.pipe()
            command = [screen, "-displayfd", str(write), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]
            _run(stack, command, {}, pass_fds=[write])
            os.close(write)
            with os.fdopen(read, encoding="ascii") as told:
                environment["DISPLAY"] = f":{told.readline().strip()}"
        port = _free_port()
        _run(stack, [driver, f"--port={port}"], environment)
        self._url = f"http://127.0.0.1:{port}/session"
        options = {"binary": browser, "args": ["--automation"]}
        wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        session = _patiently(lambda: self._request("POST", "", wanted))
        self._url += f"/{session['sessionId']}"
        stack.callback(self._request, "DELETE", "", None)
        self._send("", "timeouts", {"script": int(PATIENCE * 1000)})
        self._send("", "window/rect", {"width": 1200, "height": 900})

    def _request(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        address = f"{self._url}/{path}".rstrip("/")
        request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None

    def _send(self, name: str, path: str, parameters: dict[str, Any]) -> Any:
        return self._request("POST", path, parameters)


def missing(name: str) -> str:
    """Return what is missing for one of the `ENGINES`, or nothing."""
    if name == "firefox":
        return "" if _firefox() else "missing Firefox"
    if not shutil.which("WebKitWebDriver") or not next(_mini_browsers(), None):
        return "missing WebKit's driver or its MiniBrowser (Debian: webkit2gtk-driver)"
    return "" if shutil.which("Xvfb") or os.environ.get("DISPLAY") else "missing a display for WebKit, such as Xvfb"


@contextmanager
def started(name: str) -> Iterator[Engine]:
    """Start one of the `ENGINES`, for which nothing is missing, and end it.

    Raises `OSError` for one that does not start, such as a Firefox that may read no profile of ours.
    """
    with ExitStack() as stack:
        if name == "firefox":
            yield Firefox(stack, _firefox() or "")
        else:
            yield WebKit(stack, shutil.which("WebKitWebDriver") or "", next(_mini_browsers()), shutil.which("Xvfb"))


def _firefox() -> str | None:
    return shutil.which("firefox-esr") or shutil.which("firefox")


def _mini_browsers() -> Iterator[str]:
    for pattern in MINI_BROWSERS:
        yield from map(str, sorted(Path("/").glob(pattern.removeprefix("/"))))


def _folder(stack: ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))


def _run(stack: ExitStack, command: list[str], environment: dict[str, str], **options: Any) -> None:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env={**os.environ, **environment}, **quiet, **options)
    stack.callback(process.wait, PATIENCE)
    stack.callback(process.terminate)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def _patiently(attempt: Any) -> Any:
    """Return what an attempt does once nothing refuses it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            return attempt()
        except OSError:
            time.sleep(0.1)
    return attempt()

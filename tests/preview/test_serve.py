"""The preview server: what it serves, and what open pages hear of a change."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

from builder.preview.server import open_socket

from .conftest import Server, settled


def test_a_page_is_served_with_the_script_that_keeps_it_fresh(server: Server, root: Path) -> None:
    """The script is put in while serving; the site on disk, which gets published, has nothing of it."""
    status, body, headers = server.get("/a/")
    assert status == 200
    assert headers["content-type"].startswith("text/html")
    assert headers["cache-control"] == "no-store"
    assert 'src="/__fanlight__/preview.js"' in body
    assert body.index("preview.js") < body.index("</body>")
    for file in (root / "_site").rglob("*"):
        assert not file.is_file() or b"__fanlight__" not in file.read_bytes()
    for name in ("preview.js", "preview.css"):
        assert server.get(f"/__fanlight__/{name}")[0] == 200


def test_the_address_of_a_folder_leads_to_its_page(server: Server) -> None:
    """As on a static host: `/a` is redirected, so that relative addresses work."""
    status, _, headers = server.get("/a")
    assert (status, headers.get("location")) == (307, "/a/"), _
    assert server.get("/a/index.html")[0] == 200


def test_what_is_not_there_is_the_sites_404_page(server: Server) -> None:
    """A page gets the site's own 404, kept fresh too: it may be written in the next minute."""
    status, body, _ = server.get("/nowhere/")
    assert status == 404
    assert "lost" in body
    assert "preview.js" in body
    assert server.get("/nowhere.png")[:2] == (404, "not found")
    (server.root / "content/nowhere").mkdir()
    (server.root / "content/nowhere/article.md").write_text("found")
    server.wait("/nowhere/", lambda body: "found" in body)


LEADING_OUT = [
    "/../pyproject.toml",
    "/%2e%2e/pyproject.toml",
    "/..%2fpyproject.toml",
    "/a/../../pyproject.toml",
    "/..%5cpyproject.toml",
    "//etc/passwd",
    "/%2fetc%2fpasswd",
    "/a/%00",
    "/.fanlight.json",
    "/link/pyproject.toml",
    "/__fanlight__/../../pyproject.toml",
    "/__fanlight__/error.html",
    "/" + "a" * 5000,
]


def test_nothing_but_the_site_is_served(server: Server) -> None:
    """No spelling of a path leads out of the site, nor does a link in it, nor to our own bookkeeping."""
    (server.root / "_site/link").symlink_to(server.root)
    for path in LEADING_OUT:
        status, body, _ = server.get(path)
        assert status == 404, path
        assert "tool.fanlight" not in body, path
        assert "root:" not in body, path


def test_only_this_machine_is_answered(server: Server) -> None:
    """The socket is bound to 127.0.0.1, and a foreign name that leads there (DNS rebinding) is refused."""
    assert server.get("/a/", Host="evil.example")[0] == 400
    assert server.get("/__fanlight__/events", Host=f"evil.example:{server.port}")[0] == 400
    for good in ("localhost", f"localhost:{server.port}", f"127.0.0.1:{server.port}", f"[::1]:{server.port}"):
        assert server.get("/a/", Host=good)[0] == 200
    with open_socket(0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_a_prose_edit_is_news_for_its_page_alone(server: Server) -> None:
    """The news names that page; others stay as they are."""
    events = settled(server)
    (server.root / "content/a/article.md").write_text("<p>new</p>")
    news = events.next()
    assert news["pages"] == ["a/index.html"]
    assert news["styles"] is None
    assert news["since"] < news["version"]
    assert "new" in server.get("/a/")[1]


def test_a_style_edit_swaps_style_sheets(server: Server) -> None:
    """No page is named, though the new digest changed the text of all; and old addresses of assets still work."""
    _, before, _ = server.get("/a/")
    old = before.partition('href="../')[2].partition("/css")[0]
    events = settled(server)
    (server.root / "theme/css/main.css").write_text("p { color: blue }")
    news = events.next()
    assert news["pages"] == []
    assert news["styles"][0] == f"{old}/"
    assert "blue" in server.get(f"/{news['styles'][1]}css/fanlight.css")[1]
    assert server.get(f"/{old}/js/mount.js")[1] == "export default 1"


def test_errors_are_shown_over_the_last_good_page(server: Server) -> None:
    """Pages hear what is wrong and where, stay as they are, and hear when it is mended."""
    events = settled(server)
    article = server.root / "content/a/article.md"
    article.write_text("!!error")
    news = events.next()
    assert news["problems"] == [{"place": "content/a/article.md:3:7", "message": "unknown citation: <x>"}]
    assert news["version"] == news["since"]
    assert "first" in server.get("/a/")[1]
    late = server.events()
    assert late.next()["problems"] == news["problems"]
    article.write_text("<p>first</p>")
    news = events.next()
    assert news["problems"] == []
    assert news["pages"] == []


def test_a_fault_of_ours_does_not_end_the_preview(server: Server) -> None:
    """The page says so, the terminal has the traceback, and the next save is built."""
    events = settled(server)
    (server.root / "content/a/article.md").write_text("!!fault")
    assert "ZeroDivisionError" in events.next()["problems"][0]["message"]
    (server.root / "content/a/article.md").write_text("<p>again</p>")
    assert events.next()["pages"] == ["a/index.html"]


def test_a_first_build_that_fails_is_shown_and_recovers(start: Callable[[], Server], root: Path) -> None:
    """There is no site yet: each address shows the errors, escaped, until there is one."""
    (root / "content/a/article.md").write_text("!!error")
    server = start()
    body = server.wait("/b/", lambda body: "unknown citation" in body)
    assert "content/a/article.md:3:7" in body
    assert "&lt;x&gt;" in body
    assert "preview.js" in body
    assert server.get("/b/")[0] == 503
    events = server.events()
    assert len(events.next()["problems"]) == 1
    (root / "content/a/article.md").write_text("good")
    news = events.next()
    assert (news["pages"], news["problems"]) == (None, [])
    assert server.get("/a/")[0] == 200


def test_settings_are_read_again(server: Server, root: Path) -> None:
    """A new title is shown, a broken file is an error at its line, and the preview goes on."""
    events = settled(server)
    (root / "pyproject.toml").write_text('[tool.fanlight]\ntitle = "Ours"\n')
    assert events.next()["pages"] == ["index.html"]
    (root / "pyproject.toml").write_text('[tool.fanlight]\ntitel = "Ours"\n')
    assert events.next()["problems"] == [
        {"place": "pyproject.toml:2:1", "message": "unknown setting: titel (did you mean title?)"}
    ]
    (root / "pyproject.toml").write_text('[tool.fanlight]\ntitle = "Yours"\n')
    assert events.next()["pages"] == ["index.html"]


def test_the_base_path_is_that_of_the_published_site(start: Callable[[], Server], root: Path) -> None:
    """A project page lies under /project/ there, so it does here; the bare host leads to it."""
    (root / "pyproject.toml").write_text('[tool.fanlight]\nbase_url = "https://example.org/project/"\n')
    server = start()
    assert server.url.endswith("/project/")
    server.wait("/project/a/", lambda body: "<p>first" in body)
    assert server.get("/")[2]["location"] == "/project/"
    assert server.get("/project")[2]["location"] == "/project/"
    assert server.get("/a/")[0] == 404
    assert 'src="/project/__fanlight__/preview.js"' in server.get("/project/a/")[1]
    assert server.events("/project/").next()["problems"] == []


def test_changes_during_a_build_make_one_more(server: Server, root: Path) -> None:
    """Saves while it builds are not lost and not queued up; all builds run in one thread, where QuickJS must stay."""
    events = settled(server)
    (root / "content/a/article.md").write_text("!!slow 0")
    news = events.next()
    assert news["building"] == "saliency for eu (0 of 1 done)"
    for number in range(1, 6):
        time.sleep(0.08)
        (root / "content/a/article.md").write_text(f"!!slow {number}")
    server.wait("/a/", lambda body: "!!slow 5" in body)
    threads = (root / "thread").read_text().split()
    assert len(threads) <= 4
    assert len(set(threads)) == 1


def test_ctrl_c_ends_at_once_though_pages_listen(server: Server) -> None:
    """Open event streams are let go, not waited for."""
    listening = [settled(server) for _ in range(3)]
    server.process.send_signal(signal.SIGINT)
    server.process.wait(timeout=10)  # the streams themselves never end
    assert server.process.returncode == 0
    for events in listening:
        assert events.rest() == []

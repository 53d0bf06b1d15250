"""Tests of `fanlight check`: what no build says, how it is told, and that it fails only where it should."""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from builder.__main__ import main
from builder.build import Builder, status
from builder.cache import Cache
from builder.check import check
from builder.check.outside import OutsideLink, ask_links
from builder.errors import Problem
from builder.figure import Result
from builder.finding import Finding, with_columns
from builder.folders import built_in
from builder.site import find_site

FRONT = (
    "---\ntitle: {title}\ndescription: {title}, which has a description of a length that search engines like.\n---\n"
)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a site with two articles that are in order; it is the current folder."""
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "site"
    for slug in ("one", "two"):
        write(root, slug, "Words.\n")
    (root / "pyproject.toml").write_text("[tool.fanlight]\nsearch = false\nsocial_cards = false\n")
    monkeypatch.chdir(root)
    return root


def write(root: Path, slug: str, body: str, front: str | None = None) -> None:
    """Write an article; its body begins in line 5, where `front` does not say otherwise."""
    path = root / "content" / slug / "article.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((FRONT.format(title=slug.capitalize()) if front is None else f"---\n{front}---\n") + body)


def told(root: Path, **options: Any) -> list[str]:
    """Return what a check finds, as the command tells it but for colours."""
    checked = check(find_site(root), **options)
    return [
        f"{''.join(f'{part}:' for part in (found.path and found.path.relative_to(root), found.line) if part)}"
        f" {found.severity}: {found.message}"
        for found in (*checked.findings, *checked.outside)
    ]


def test_a_site_in_order_has_nothing_to_tell(site: Path, capsys: Any) -> None:
    """No false alarm, and no page or answer is written."""
    assert main(["check", "-W"]) == 0
    assert capsys.readouterr() == ("checked 2 articles\n", "")
    assert not (site / "_site").exists()


def test_what_is_there_and_not_used_is_told(site: Path) -> None:
    """Labels, entries, whole bibliographies, pictures and files; what a draft or another article uses is used."""
    entry = "@book{{{0}, title={{T}}, author={{A, B}}, publisher={{P}}, year={{2001}}{1}}}\n"
    (site / "bib").mkdir()
    (site / "bib/all.bib").write_text(
        entry.format("cited", ", crossref={whole}") + entry.format("whole", "") + entry.format("left", "")
        + entry.format("drafted", "")
    )  # fmt: skip
    (site / "bib/none.bib").write_text(entry.format("other", ""))
    figures = (
        f':::{{figure}} dot.svg\n:label: fig-{name}\n:alt: ""\n\nC.\n:::\n\n' for name in ("used", "linked", "left")
    )
    body = f"[@cited] and @fig-used, @eq-used.\n\n{''.join(figures)}$$x$$ {{#eq-used}}\n\n$$y$$ {{#eq-left}}\n"
    write(site, "one", body)
    write(site, "two", "[there](../one/#fig-linked)\n")
    write(site, "draft", "[@drafted]\n", front="title: Draft\ndraft: true\n")
    for name in ("dot.svg", "dot.dark.svg", "left.svg", "left.bib", "notes.txt"):
        (site / "content/one" / name).write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>')
    assert told(site) == [
        "bib/all.bib:3: note: unused entry: no article cites left",
        "bib/none.bib: warning: unused bibliography: no article cites from it",
        "content/one/article.md:22: note: unused label: no text refers to @fig-left",
        "content/one/article.md:30: note: unused label: no text refers to @eq-left",
        "content/one/left.bib: warning: unused bibliography: no article names it; write bibliography: [left.bib]",
        "content/one/left.svg: note: unused picture: no article shows it",
        "content/one/notes.txt: note: unused file: no article links to it",
    ]


def test_what_is_odd_in_a_bibliography_is_told_though_nobody_cites_it(site: Path) -> None:
    """Builds tell what they read, which is what is cited; that stays a warning."""
    (site / "bib").mkdir()
    (site / "bib/all.bib").write_text("@misc{cited,\n tilte={T}}\n@misc{left,\n titel={T}}\n@misc{fine, title={T}}\n")
    write(site, "one", "[@cited] [@fine]\n")
    assert told(site) == [
        "bib/all.bib:1: warning: missing title: cited",
        "bib/all.bib:2: warning: unknown field: tilte of cited (did you mean title?)",
        "bib/all.bib:3: note: missing title: left",
        "bib/all.bib:3: note: unused entry: no article cites left",
        "bib/all.bib:4: note: unknown field: titel of left (did you mean title?)",
    ]


def test_days_titles_and_descriptions_are_looked_at(site: Path) -> None:
    """Days that cannot be, and what search engines would cut, or show twice."""
    later = datetime.date.today() + datetime.timedelta(days=9)
    write(site, "one", "", front=f"title: {'x' * 61}\ndescription: Short.\ndate: {later}\nupdated: 2020-01-01\n")
    write(site, "three", "", front="title: Two\ndescription: Two, which has a description of a length that search engines like.\n")  # fmt: skip # noqa: E501
    write(site, "four", "", front="title: Four\n")
    assert told(site) == [
        "content/four/article.md:1: note: missing description: search engines and feeds show a sentence or two of it",
        "content/one/article.md:2: note: long title: 61 characters; search engines show about 60",
        "content/one/article.md:3: note: short description: 6 characters; search engines want at least 50",
        f"content/one/article.md:4: warning: invalid date: {later} is in the future",
        f"content/one/article.md:5: warning: invalid updated: 2020-01-01 is before {later}, the day it was published",
        "content/two/article.md:2: warning: duplicate title: that of three is the same",
        "content/two/article.md:3: warning: duplicate description: that of three is the same",
    ]


def test_who_reads_drafts_is_told_of_links_that_will_break(site: Path) -> None:
    """A build without them refuses the link; one with them has it work, until the site is published."""
    write(site, "one", "Words, and\n[what is to come](../later/).\n")
    write(site, "later", "[back](../one/)\n", front="title: Later\ndraft: true\n")
    assert any("is not built (is it a draft?)" in line for line in told(site))
    found = check(find_site(site, drafts=True)).findings
    assert Finding("broken link: later is a draft", site / "content/one/article.md", 6, 1) in found


def test_pages_are_read_as_readers_get_them(site: Path) -> None:
    """HTML in an article, and the pages that list articles: what leads nowhere is told, whichever way it is written."""
    (site / "pyproject.toml").write_text('[tool.fanlight]\nhtml = "raw"\nsearch = false\nsocial_cards = false\n')
    write(
        site,
        "one",
        "Words.\n\n<p><a href=\"../two/\">a</a> <a href='../two/index.html#main'>b</a> <a href='../tow/'>c</a></p>\n\n"
        '<p><a href="#nowhere">d</a> <img src="no.png" alt="" srcset="../no.png 2x"> <a href="mailto:a@b">e</a></p>\n\n'
        "<p><a href=../../../etc>f</a> a href=&quot;x&quot; <code>src=y</code> <a href=/x/>g</a></p>\n",
    )
    found = [line for line in told(site) if "link" in line]
    assert found == [
        "content/one/article.md:7: error: broken link: ../tow/ (did you mean two/?)",
        "content/one/article.md:9: error: broken link: #nowhere",
        "content/one/article.md:9: error: broken link: no.png",
        "content/one/article.md:9: error: broken link: ../no.png",
        "content/one/article.md:11: error: broken link: ../../../etc leaves the site",
    ]
    write(site, "one", "Words.\n")
    Builder(find_site(site)).build()
    assert told(site) == []
    page = site / "_site/index.html"
    page.write_text(page.read_text().replace('href="one/"', 'href="oen/"'))
    assert set(told(site)) == {"_site/index.html: warning: broken link: oen/ (did you mean one/?)"}


def test_the_exit_status_says_whether_there_are_errors(site: Path, capsys: Any) -> None:
    """Warnings count with `-W`, notes never do; `--json` has all of them, with places."""
    write(site, "one", "", front="title: One\ndate: 2999-01-01\n")
    assert main(["check"]) == 0
    assert "1 warning, 1 note\n" in capsys.readouterr().err
    assert main(["check", "--strict-warnings"]) == 1
    write(site, "one", "", front="title: One\n")
    assert main(["check", "-W"]) == 0
    write(site, "one", "[^\u202e\x9b]\n")
    assert main(["check", "-q"]) == 1
    capsys.readouterr()
    assert main(["check", "--json"]) == 1
    found = json.loads(capsys.readouterr().out.encode("ascii"))  # what an article says steers no terminal
    assert found == [
        {
            "message": "unknown footnote: \u202e\x9b",
            "path": "content/one/article.md",
            "line": 5,
            "column": 1,
            "severity": "error",
        }
    ]


def test_a_missing_answer_is_a_note(site: Path) -> None:
    """The next build computes it; no model is looked for outside of this machine."""
    (site / "pyproject.toml").write_text('[tool.fanlight]\nmodel = "somebody/something"\n')
    write(site, "one", ":::{figure}\n:label: fig-a\n:analysis: tokens\n:prompt: x\n\nC @fig-a.\n:::\n")
    (note,) = told(site)
    assert note.startswith(
        "content/one/article.md:5: note: missing result: fig-a is not stored; the next build computes"
    )


def test_a_line_without_a_column_gets_that_of_the_word_meant(tmp_path: Path) -> None:
    """The value that is named, else the option's name, else the first character; a file that is gone has none."""
    file = tmp_path / "x.md"
    file.write_text(":model: tny\n  - top-k: x\n\n:prompt:\n")
    cases = [
        (Problem("unknown model: tny (did you mean tiny?)", file, 1), 9),
        (Problem("invalid top_k: it is below 0", file, 2), 5),
        (Problem("invalid prompt: it is empty", file, 4), 2),
        (Problem("missing analysis: a figure needs one", file, 2), 3),
        (Problem("unknown model: tny", file, 1, 4), 4),
        (Problem("missing end", file, 3), None),
        (Problem("missing end", tmp_path / "gone.md", 3), None),
        (Problem("missing end", file), None),
    ]
    assert [problem.column for problem in with_columns(problem for problem, _ in cases)] == [
        column for _, column in cases
    ]


def test_a_figure_with_much_data_is_told_with_what_would_make_it_less(site: Path) -> None:
    """Its kind, its size, what is most of it; pieces do not count, for they are fetched when asked for."""
    settings = '[tool.fanlight]\nmodel = "m"\npayload_limit = 99\n[tool.fanlight.models.m]\nsource = "pypi:x==1"\n'
    (site / "pyproject.toml").write_text(settings)
    figure = ":::{{figure}}\n:label: fig-{0}\n:analysis: activations\n:prompt: {0}\n\nC @fig-{0}.\n:::\n\n"
    write(site, "one", figure.format("large") + figure.format("small"))
    cache = Cache(site.parent / "cache")
    example = json.loads((built_in("figures") / "activations/example.json").read_text())
    for row, size in zip(status(find_site(site)), (99999, 9), strict=True):
        data = {**example["data"], "more": "x" * size}
        result = Result(row.address, "activations", data, {}, example["provenance"], ("piece",))
        cache.put(result, {"piece": {"x": "x" * 999999}})
    (line,) = [line for line in told(site) if "large" in line]
    assert line.startswith("content/one/article.md:5: warning: large data: fig-large (activations) has ")
    assert line.endswith(
        " KB, over 99 KB, most of it more; a shorter text, fewer layers or fewer clusters would make it less"
    )


# other hosts


@pytest.fixture
def host() -> Iterator[str]:
    """An address on loopback that answers with the status its path names; HEAD is refused below /get/."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            """Answer without a body."""
            _, *parts = self.path.split("/")
            status = 405 if parts[0] == "get" and self.command == "HEAD" else int(parts[-1])
            self.send_response(status)
            if status in (301, 302):
                self.send_header("Location", "/200" if parts[0] != "loop" else self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_links_to_other_hosts_are_asked_and_never_fail(host: str, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gone is broken; shy, slow and unreachable hosts are unknown; what moved for good is told with where it is now."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    paths = ("200", "get/200", "404", "get/410", "403", "429", "500", "301", "302", "loop/302")
    links = [OutsideLink(f"{host}/{path}", site / "a.md", 1) for path in paths]
    links.append(OutsideLink("http://127.0.0.1:1/", site / "a.md", 2))
    found = [found.message.replace(host, "") for found in ask_links(links, private=True, timeout=5)]
    assert found[:-1] == [
        "broken link: /404 (its host says 404)",
        "broken link: /get/410 (its host says 410)",
        "unknown link: /403 (its host says 403)",
        "unknown link: /429 (its host says 429)",
        "unknown link: /500 (its host says 500)",
        "moved link: /301 (now /200)",
        "unknown link: /loop/302 (leads on more than 5 times)",
    ]
    assert found[-1].startswith("unknown link: http://127.0.0.1:1/ (")


def test_a_host_in_a_private_network_is_not_asked(host: str, site: Path, capsys: Any) -> None:
    """A stranger's article does not make this machine ask its neighbours; and the check does not fail for it."""
    write(site, "one", f"[a]({host}/404) and [b](https://localhost/x).\n\n> [c](http://192.168.0.1/#top)\n")
    assert main(["check", "--external", "-W"]) == 0
    told = capsys.readouterr()
    assert told.err.count("a host in a private network is not asked") == 3
    assert f"content/one/article.md:5:5: note: unknown link: {host}/404" in told.err
    assert "content/one/article.md:7:7: note: unknown link: http://192.168.0.1/ " in told.err
    assert told.out == "checked 2 articles, 3 links to other hosts\n"

"""Tests of the command line: what it prints, where, and its exit status."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from builder import __version__
from builder.__main__ import main
from builder.errors import BuildError, Problem
from builder.terminal import Plain, Rich, Terminal, table, visible

ROOT = Path(__file__).parents[1]


@dataclass
class Built:
    """What a build says of itself."""

    files: dict[str, bytes]
    problems: tuple[Problem, ...] = ()
    computed: int = 1
    cached: int = 2
    seconds: float = 0.5
    pages: tuple[str, ...] = ("index.html",)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty site that is also the current folder."""
    (tmp_path / "content/a").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.fanlight]\n")
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], Any]], list[Any]]:
    """Put a function in place of the pipeline; returns the list of what builders are made with."""

    def replace(build: Callable[[Any], Any]) -> list[Any]:
        made: list[Any] = []

        class Builder:
            def __init__(self, site: Any, **options: Any) -> None:
                made.append((site, options))
                self.site = site
                self.listener = options["listener"]

            def build(self) -> Any:
                return build(self)

        module = ModuleType("builder.build")
        module.Builder = Builder  # type: ignore[attr-defined]
        module.survey = lambda site, frozen=False: SimpleNamespace(figures=build(site), problems=())  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "builder.build", module)
        return made

    return replace


def raising(error: BaseException) -> Callable[[Any], Any]:
    """Return a build that fails."""

    def build(_: Any) -> Any:
        raise error

    return build


def test_a_good_build_exits_0_and_says_what_it_did(site: Path, pipeline: Any, capsys: Any) -> None:
    """One line: pages, answers, time, and where to look."""
    pipeline(lambda _: Built({}))
    assert main(["build"]) == 0
    out, err = capsys.readouterr()
    assert out == f"1 page, 1 answer computed, 2 stored, in 0.50 s: {Path('_site/index.html')}\n"
    assert err == ""


def test_options_reach_the_builder(site: Path, pipeline: Any, capsys: Any) -> None:
    """What the options say wins over what the site's file says."""
    made = pipeline(lambda _: Built({}))
    words = "-o out -D --base-url https://example.org/p --refresh eu --refresh ranks --only a -j 3 --device cuda:1"
    assert main(["build", *words.split(), "--no-strict"]) == 0
    (found, options), *_ = made
    assert (found.output, found.drafts, found.strict) == (site / "out", True, False)
    assert found.base_url == "https://example.org/p/"
    del options["listener"]
    assert options == {
        "frozen": False,
        "refresh": {"eu", "ranks"},
        "only": {"a"},
        "scheduler": "",
        "jobs": 3,
        "device": "cuda:1",
        "keep_models": False,
        "keep_answers": True,
    }


def test_the_authors_errors_exit_1_one_a_line_by_place(site: Path, pipeline: Any, capsys: Any) -> None:
    """Sorted by file and line, seen from the current folder, on the error stream, with a count."""
    article = site / "content/a/article.md"
    problems = [
        Problem("unknown citation: x", article, 41, 7),
        Problem("missing alt text", article, 9, severity="warning"),
        Problem("invalid YAML: tab", article, 2),
        Problem("missing bibliography: y", site / "bib/y.bib"),
        Problem("unknown citation: x", article, 41, 7),
    ]
    pipeline(raising(BuildError(problems=problems)))
    assert main(["build"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "bib/y.bib: missing bibliography: y",
        "content/a/article.md:2: invalid YAML: tab",
        "content/a/article.md:9: warning: missing alt text",
        "content/a/article.md:41:7: unknown citation: x",
        "3 errors, 1 warning",
    ]
    assert main(["build", "-q"]) == 1
    assert "warning" not in capsys.readouterr().err


def test_places_are_seen_from_where_the_user_is(
    site: Path, pipeline: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder of the site they can be opened too."""
    monkeypatch.chdir(site / "content/a")
    pipeline(raising(BuildError(problems=[Problem("x", site / "bib/y.bib", 1), Problem("z", site / "content/a/b.md")])))
    assert main(["build"]) == 1
    assert [line.split(": ")[0] for line in capsys.readouterr().err.splitlines()[:2]] == ["../../bib/y.bib:1", "b.md"]


def test_warnings_do_not_fail_a_build(site: Path, pipeline: Any, capsys: Any) -> None:
    """They are shown, unless quiet."""
    warning = Problem("missing alt text", site / "content/a/article.md", 9, severity="warning")
    pipeline(lambda _: Built({}, (warning,)))
    assert main(["build"]) == 0
    assert "warning: missing alt text\n1 warning\n" in capsys.readouterr().err
    assert main(["build", "-q"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_fault_of_ours_exits_3_and_says_so(site: Path, pipeline: Any, capsys: Any) -> None:
    """In few lines, unless all of the traceback was asked for."""
    pipeline(raising(ZeroDivisionError("division by zero")))
    assert main(["build"]) == 3
    err = capsys.readouterr().err
    assert err.startswith("ZeroDivisionError: division by zero\n")
    assert "This is a fault of Fanlight" in err
    assert len(err.splitlines()) <= 5
    assert main(["build", "-v"]) == 3
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_fault_in_a_kind_of_the_sites_own_is_its_authors(site: Path, pipeline: Any, capsys: Any) -> None:
    """It exits 1 with the line of the site's file."""
    file = site / "figures/mine/analysis.py"
    file.parent.mkdir(parents=True)
    file.write_text("def analyse():\n    return 1 / 0\n")
    code = compile(file.read_text(), str(file), "exec")

    def build(_: Any) -> Any:
        space: dict[str, Any] = {}
        exec(code, space)
        return space["analyse"]()

    pipeline(build)
    assert main(["build"]) == 1
    assert "figures/mine/analysis.py:2:5: broken kind: ZeroDivisionError" in capsys.readouterr().err


def test_an_interrupt_exits_130(site: Path, pipeline: Any, capsys: Any) -> None:
    """Without a traceback."""
    pipeline(raising(KeyboardInterrupt()))
    assert main(["build"]) == 130
    assert capsys.readouterr().err == "interrupted; the last good site stands\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("biuld", "unknown command: biuld (did you mean build?)"),
        ("build --draft", "unknown option: --draft (did you mean --drafts?)"),
        ("build --frozn=1", "unknown option: --frozn=1 (did you mean --frozen?)"),
        ("build now", "unknown argument: now"),
        ("build --device cude", "unknown device: 'cude' (did you mean cuda?)"),
        ("build --device cpu:1", "unknown device: 'cpu:1' (did you mean cpu?)"),
        ("build -j -1", "invalid number: '-1'"),
        ("build -j two", "invalid number: 'two'"),
        ("build --base-url example.org", "invalid address: 'example.org'"),
        ("build --frozen --refresh all", "--refresh computes and --frozen forbids it"),
        ("build -q -v", "not allowed with"),
        ("serve -p 70000", "invalid port: '70000'"),
        ("new", "required: DIR"),
        ("", "required: COMMAND"),
    ],
)
def test_wrong_usage_exits_2_and_names_what_was_meant(site: Path, capsys: Any, words: str, message: str) -> None:
    """Nothing is built."""
    assert main(words.split()) == 2
    assert message in capsys.readouterr().err


def test_help_and_version_exit_0(capsys: Any) -> None:
    """They are answers, not errors."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"fanlight {__version__}\n"
    commands = ("new", "import", "build", "serve", "status", "check", "publish", "clean")
    for words in (["--help"], *([command, "-h"] for command in commands)):
        assert main(words) == 0
        assert capsys.readouterr().err == ""


def test_help_says_where_the_guide_lies(capsys: Any) -> None:
    """Who has nothing but the program finds out how articles are written."""
    assert main(["--help"]) == 0
    guide = Path(re.search(r"^How to write them: (.+)$", capsys.readouterr().out, re.MULTILINE)[1])
    assert "title: Writing with Fanlight" in guide.read_text(encoding="utf-8")
    assert {"kinds", "extending", "scaling"} <= {folder.name for folder in guide.parents[1].iterdir()}


def test_no_site_is_the_authors_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """It says what was looked for."""
    monkeypatch.chdir(tmp_path)
    assert main(["build"]) == 1
    assert "missing site" in capsys.readouterr().err


def test_an_output_that_is_not_ours_is_refused_before_anything_is_computed(
    site: Path, pipeline: Any, capsys: Any
) -> None:
    """Hours of a model's work should not come to nothing."""
    made = pipeline(lambda _: Built({}))
    assert main(["build", "-o", "."]) == 1
    assert "invalid output" in capsys.readouterr().err
    assert made == []


@dataclass(frozen=True)
class Figure:
    """How a figure stands."""

    article: str
    label: str
    kind: str
    path: Path
    line: int
    state: str
    why: str
    address: str


def test_status_is_a_table_or_json(site: Path, pipeline: Any, capsys: Any) -> None:
    """The table is for people, JSON has all fields."""
    path = site / "content/a/article.md"
    rows = [
        Figure("a", "fig-eu", "saliency", path, 12, "fresh", "answered", "ab"),
        Figure("a", "fig-fresh-ranks", "rankings", path, 30, "stale", "another\x9b prompt", "cd"),
    ]
    pipeline(lambda _: rows)
    assert main(["status"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "figure             kind      state  why                 where",
        "a#fig-eu           saliency  fresh  answered            content/a/article.md:12",
        "a#fig-fresh-ranks  rankings  stale  another\\x9b prompt  content/a/article.md:30",
    ]
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.encode("ascii"))[1] == {
        "article": "a", "label": "fig-fresh-ranks", "kind": "rankings", "path": "content/a/article.md", "line": 30,
        "state": "stale", "why": "another\x9b prompt", "address": "cd",
    }  # fmt: skip
    pipeline(lambda _: [])
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_clean_removes_the_site_and_on_demand_the_cache(site: Path, capsys: Any) -> None:
    """Models stay unless they are named too; what is not ours is not touched."""
    from builder.write import write_site

    for name in ("results/ab", "math", "ledgers", "checkpoints/x"):
        (site / "cache" / name).mkdir(parents=True)
        (site / "cache" / name / "file").touch()
    write_site({"index.html": b""}, site / "_site")
    assert main(["clean"]) == 0
    assert capsys.readouterr().out == "removed 2 files from _site\n"
    assert not (site / "_site").exists()
    assert (site / "cache/results/ab/file").exists()
    assert main(["clean", "--all"]) == 0
    left = {entry.name for entry in (site / "cache").iterdir()}
    assert "checkpoints" in left
    assert not left & {"results", "math", "ledgers"}
    assert main(["clean", "--models"]) == 0
    assert not (site / "cache/checkpoints").exists()
    (site / "_site").mkdir()
    (site / "_site/thesis.tex").touch()
    assert main(["clean"]) == 1
    assert (site / "_site/thesis.tex").exists()


def test_new_says_what_comes_next(site: Path, capsys: Any) -> None:
    """The files, and the command that shows them."""
    assert main(["new", "mine"]) == 0
    out = capsys.readouterr().out
    assert "  pyproject.toml\n" in out
    assert out.endswith("cd mine && fanlight serve\n")
    assert main(["new", "mine"]) == 1


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["new", "-q", "mine"]])
def test_a_command_imports_only_what_it_needs(tmp_path: Path, words: list[str]) -> None:
    """Of what is installed only where caches lie, and of our own not the pipeline."""
    script = (
        "import sys; before = set(sys.modules); from builder.__main__ import main; code = main(sys.argv[1:]);"
        "new = {name for name in set(sys.modules) - before if name.partition('.')[0] not in sys.stdlib_module_names};"
        "light = {'builder', 'platformdirs'};"
        "heavy = [name for name in new if name == 'builder.build' or name.partition('.')[0] not in light];"
        "print(sorted(heavy), file=sys.stderr); sys.exit(code)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script, *words]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.splitlines()[-1] == "[]", done.stderr


class Tty(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_a_terminal_gets_colours_and_a_file_does_not(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR switches them off."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    problem = Problem("unknown citation: x", site / "a.md", 4)

    def shown(stream: io.StringIO) -> str:
        Terminal(site, err=stream).show([problem], count=False)
        return stream.getvalue()

    assert shown(Tty()) == "\x1b[1ma.md:4:\x1b[0m \x1b[31munknown\x1b[0m citation: x\n"
    assert shown(io.StringIO()) == "a.md:4: unknown citation: x\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert shown(Tty()) == "a.md:4: unknown citation: x\n"


def test_an_article_does_not_steer_the_terminal(site: Path) -> None:
    """Control characters in messages, file names and prompts are spelt out."""
    stream = io.StringIO()
    terminal = Terminal(site, err=stream)
    terminal.show([Problem("unknown citation: \x1b]0;owned\x07\u202e", site / "\x1b[2J.md", 1)], count=False)
    assert stream.getvalue() == "\\x1b[2J.md:1: unknown citation: \\x1b]0;owned\\x07\\u202e\n"
    assert visible("é 言語\n\tok") == "é 言語\n\tok"


def test_a_problem_of_several_lines_is_one_problem(site: Path) -> None:
    """Its other lines are set in, so that none can pass for a problem of its own."""
    stream = io.StringIO()
    Terminal(site, err=stream).show([Problem("invalid YAML: found\na.md:1: nothing", site / "a.md", 4)], count=False)
    assert stream.getvalue() == "a.md:4: invalid YAML: found\n    a.md:1: nothing\n"


def test_what_a_terminal_cannot_print_does_not_stop_it() -> None:
    """An ASCII log shows escapes instead."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    Terminal(out=stream).say("é ok")
    stream.seek(0)
    assert stream.read() == "\\xe9 ok\n"


def test_progress_is_lines_where_there_is_no_terminal_and_nothing_if_quiet() -> None:
    """A line a job, with how much of all is done."""
    stream = io.StringIO()
    listener = Terminal(err=stream).listener()
    assert isinstance(listener, Plain)
    listener.started(2)
    listener.running("saliency for eu")
    listener.finished("saliency for eu")
    assert stream.getvalue() == "saliency for eu …\n[1/2] saliency for eu\n"
    quiet = Terminal(quiet=True, err=stream).listener()
    quiet.started(1)
    quiet.message("x")
    assert stream.getvalue().count("\n") == 2


def test_progress_is_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows markup as text, and is gone before anything else is written."""
    monkeypatch.setenv("TERM", "xterm")
    stream = Tty()
    terminal = Terminal(out=stream, err=stream)
    listener = terminal.listener()
    assert isinstance(listener, Rich)
    listener.message("before")
    listener.started(2)
    listener.running("saliency for [red]eu[/red]")
    listener.finished("saliency for [red]eu[/red]")
    terminal.complain("broken")
    assert "[red]eu[/red]" in stream.getvalue()
    assert stream.getvalue().endswith("broken\n")
    listener.running("nothing is shown after an error")
    assert stream.getvalue().endswith("broken\n")


def test_a_table_is_as_wide_as_it_needs_to_be() -> None:
    """Columns line up."""
    assert table([("a", "bbb"), ("cc", "d")], ("x", "y")) == ["x   y", "a   bbb", "cc  d"]

"""The command line: what it prints, where, and its exit status."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from builder import __version__
from builder.__main__ import main
from builder.errors import BuildError, Problem


@dataclass
class Built:
    """What a build says of itself."""

    files: dict[str, bytes]
    problems: tuple[Problem, ...] = ()
    computed: int = 1
    cached: int = 2
    seconds: float = 0.5
    pages: tuple[str, ...] = ("index.html",)


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


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_that_asks_to_end_is_an_interrupt(
    site: Path, pipeline: Any, capsys: Any, number: signal.Signals, status: int
) -> None:
    """With the status that shells expect of it; a signal that `nohup` has told us to ignore ends nothing."""

    def build(_: Any) -> Any:
        signal.raise_signal(number)
        return Built({})

    pipeline(build)
    before = signal.signal(number, signal.SIG_DFL)  # who runs the tests may use `nohup`, too
    try:
        assert main(["build"]) == status
        assert capsys.readouterr().err == "interrupted; the last good site stands\n"
        assert signal.getsignal(number) == signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN)
        assert main(["build"]) == 0
    finally:
        signal.signal(number, before)


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

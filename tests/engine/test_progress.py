"""Progress of several workers: one bar that says who is at what, or a line for everything."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from builder.terminal import Plain, Rich


class Screen(io.StringIO):
    """A terminal that remembers."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A wide one."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    return Screen()


def shown(bar: Rich) -> str:
    """Return what the bar looks like now."""
    assert bar._bar is not None
    console = Console(file=io.StringIO(), width=200)
    console.print(bar._bar.get_renderable())
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_a_bar_says_what_every_worker_does(screen: Screen) -> None:
    """And forgets who has nothing to do, or is not there any more."""
    bar = Rich(screen)
    bar.started(3)
    bar.running("saliency for fig-a", "w1")
    bar.running("rankings for fig-b", "w2")
    assert "0/3" in shown(bar)
    assert "saliency for fig-a (w1); rankings for fig-b (w2)" in shown(bar)
    bar.finished("saliency for fig-a", "w1")
    bar.left(200)
    assert "1/3" in shown(bar)
    assert "(w1)" not in shown(bar)
    assert "about 3 min left" in shown(bar)
    bar.running("", "w2")
    assert "(w2)" not in shown(bar)
    bar.stop()


def test_a_bar_of_one_process_names_no_worker(screen: Screen) -> None:
    """There is nobody to be told apart; what was last done stands there until the next begins."""
    bar = Rich(screen)
    bar.started(2)
    bar.running("saliency for [b]fig-a[/b]")
    bar.finished("saliency for [b]fig-a[/b]")
    assert "saliency for [b]fig-a[/b]" in shown(bar)
    assert "(" not in shown(bar)
    bar.stop()


def test_lines_say_who_does_what() -> None:
    """In a log, a line for every step and a number for every end."""
    log = io.StringIO()
    lines = Plain(log)
    lines.started(2)
    lines.running("saliency for fig-a", "w1")
    lines.finished("saliency for fig-a", "w1")
    lines.running("", "w1")
    lines.left(60)
    lines.running("rankings for fig-b")
    assert log.getvalue().splitlines() == [
        "saliency for fig-a (w1) …",
        "[1/2] saliency for fig-a (w1)",
        "rankings for fig-b …",
    ]

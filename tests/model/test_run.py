"""`Run`: which tokens a model is given and writes itself, by what a spec says of a text and of nothing else."""

from __future__ import annotations

import dataclasses
import gc
import json

import pytest
import torch
from networks import Copy, Load
from networks.runs import load, spec

from builder.errors import BuildError
from builder.model import Run


def test_greedy_decoding_follows_the_logits(tiny: Load) -> None:
    """Every generated token is the most probable one after what stands before it."""
    run = tiny("llama").run(spec(generate=12))
    assert run.logits.argmax(-1).tolist() == run.ids[run.targets].tolist()
    assert len(run.targets) <= 12


def test_sampling_is_the_same_for_the_same_seed(tiny: Load) -> None:
    """The seed alone decides, whatever was drawn before, and nothing is drawn from the process's own generator."""
    model = tiny("gpt2")
    options = {"do_sample": True, "temperature": 3.0, "top_k": 0, "generate": 12}
    before = torch.random.get_rng_state()
    first = model.run(spec(seed=1, **options)).ids.tolist()
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(7)
    gc.collect()
    assert model.run(spec(seed=1, **options)).ids.tolist() == first
    assert model.run(spec(seed=2, **options)).ids.tolist() != first


def test_temperature_and_top_k_mean_what_they_mean_in_transformers(tiny: Load) -> None:
    """With the one best token to draw from, sampling is greedy."""
    model = tiny("gpt2")
    greedy = model.run(spec(generate=8)).ids.tolist()
    assert model.run(spec(generate=8, do_sample=True, top_k=1, temperature=5.0)).ids.tolist() == greedy


def test_the_checkpoints_own_decoding_settings_are_left_out(copy: Copy, tiny: Load) -> None:
    """A repetition penalty that somebody saved with the weights would change the text, and nobody would know."""
    folder = copy("llama")
    settings = {
        "do_sample": True,
        "temperature": 2.0,
        "repetition_penalty": 5.0,
        "suppress_tokens": list(range(1, 200)),
    }
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))
    assert load(folder).run(spec(generate=8)).ids.tolist() == tiny("llama").run(spec(generate=8)).ids.tolist()


def test_decoding_stops_where_the_text_ends(copy: Copy, tiny: Load) -> None:
    """The end token closes the text and is kept; nothing follows it."""
    usual = tiny("llama").run(spec(generate=8))
    stop = int(usual.ids[usual.n_input + 2])
    folder = copy("llama")
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "eos_token_id": [stop, 0]}))
    run = load(folder).run(spec(generate=8))
    first = usual.ids[usual.n_input :].tolist().index(stop)
    assert run.ids.tolist() == usual.ids[: usual.n_input + first + 1].tolist()


def test_an_output_by_hand_keeps_the_prompts_tokens(tiny: Load) -> None:
    """Tokens of the prompt stay as they are, also where the tokenizer would join across the border."""
    model = tiny("llama")
    whole, split = model.run(spec("1, 1, 1,", generate=0)), model.run(spec("1, 1", output=", 1,"))
    assert "".join(token["text"] for token in split.tokens) == "1, 1, 1,"
    assert split.ids[: split.n_input].tolist() == model.run(spec("1, 1", generate=0)).ids.tolist()
    assert split.targets == list(range(split.n_input, len(split.ids)))
    assert whole.targets == list(range(1, len(whole.ids)))
    joined = model.run(spec("<ht", output="ml>"))
    assert [token["type"] for token in joined.tokens].count("output") >= 1
    assert "".join(token["text"] for token in joined.tokens) == "<html>"


def test_a_prompt_alone_is_analysed_as_given(tiny: Load) -> None:
    """`generate: 0` without an output explains every token but the first."""
    run = tiny("gpt2").run(spec("The countries", generate=0))
    assert run.n_input == len(run.ids)
    assert run.targets == list(range(1, len(run.ids)))
    assert run.logits.shape[0] == len(run.targets)
    assert {token["type"] for token in run.tokens} == {"input"}


def test_a_prompt_of_one_token_and_no_output_has_no_targets(tiny: Load) -> None:
    """There is nothing before it that could explain it."""
    run = tiny("gpt2").run(spec("1", generate=0))
    assert run.targets == []
    assert run.logits.shape == (0, tiny("gpt2").vocab_size)


@pytest.mark.parametrize("prompt", ["</script>", "東京 \U0001f642", "$x$ * @a \\n", "a\n\n\tb", "\u202e<b>"])
def test_prompts_are_taken_raw(tiny: Load, prompt: str) -> None:
    """Nothing in a prompt is markup, and no sign is lost on its way through the tokens."""
    run = tiny("llama").run(spec(prompt, generate=0))
    assert "".join(token["text"] for token in run.tokens) == prompt


def test_an_empty_prompt_is_an_error(tiny: Load) -> None:
    """There is no first token to predict the next one from, a BOS notwithstanding."""
    for name in ("llama", "hand_written"):
        with pytest.raises(BuildError, match="missing prompt"):
            tiny(name).run(spec(""))


def test_a_text_longer_than_the_context_is_an_error_with_the_numbers(tiny: Load) -> None:
    """Positions that the model never learned give an answer that means nothing."""
    model = tiny("gpt2")
    assert len(model.run(spec("a", generate=63)).ids) <= 64
    with pytest.raises(
        BuildError, match=r"invalid generate: 1 token and .* 64 are 65 tokens, but the context .* is 64"
    ):
        model.run(spec("a", generate=64))
    with pytest.raises(BuildError, match="invalid prompt: 101 tokens"):
        model.run(spec("a" + "\x00" * 100, generate=0))
    with pytest.raises(BuildError, match="invalid output: 1 token and an output of 100 are"):
        model.run(spec("a", output="\x00" * 100))


def test_a_bos_is_added_once(tiny: Load) -> None:
    """What the tokenizer puts before a text is part of the input, marked, recorded, and never doubled."""
    model = tiny("hand_written")
    run = model.run(spec("A B", generate=0))
    assert [token["text"] for token in run.tokens] == ["<bos>", "A", "B"]
    assert run.tokens[0]["special"] is True
    assert run.n_input == 3
    assert model.run(spec("<bos> A B", generate=0)).ids.tolist() == run.ids.tolist()
    assert model.run(spec("A", output="B")).ids.tolist() == run.ids.tolist()
    assert model.provenance()["added_tokens"] == ["<bos>"]
    assert tiny("llama").provenance()["added_tokens"] == []


def test_a_run_is_shared_while_somebody_uses_it(tiny: Load) -> None:
    """Figures that ask about the same text share its generation and forward pass; then its tensors are let go."""
    model = tiny("llama")
    first = model.run(spec())
    assert model.run(dataclasses.replace(spec(), model="another name")) is first
    assert model.run(spec(generate=6)) is not first
    key = id(first)
    del first
    gc.collect()
    assert not any(id(run) == key for run in model._runs.values())


def test_a_chat_prompt_is_put_into_the_tokenizers_template(copy: Copy) -> None:
    """What a user says, as the model was taught to read it; without a template the author is told."""
    folder = copy("llama")
    with pytest.raises(BuildError, match="unsupported chat: the tokenizer of model tiny has no chat template"):
        load(folder).run(spec(chat=True))
    (folder / "chat_template.jinja").write_text("{{ messages[0].role }}: {{ messages[0].content }}\n1.")
    run = load(folder).run(spec(prompt="1, 1", chat=True, generate=2))
    assert "".join(token["text"] for token in run.tokens[: run.n_input]) == "user: 1, 1\n1."


def test_a_template_tells_the_same_day_always(copy: Copy) -> None:
    """Else one question would have other tokens tomorrow, and an answer that is stored would be another's."""
    folder = copy("llama")
    template = "{% set day = strftime_now('%d %b %Y, %A') %}{{ day }} {{ messages[0].content }}"
    (folder / "chat_template.jinja").write_text(template)
    assert load(folder).prompt_text(spec(prompt="1, 1", chat=True)) == "26 Jul 2024, Friday 1, 1"


def test_a_text_that_ends_at_once_is_known(tiny: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where something was to be generated, and the first choice was an end token."""
    model = tiny("llama")
    run = model.run(spec(generate=3))
    assert not run.ended_at_once
    monkeypatch.setattr(model, "end_tokens", (int(run.ids[run.n_input]),))
    ended = Run(model, run.spec, run.ids[: run.n_input + 1], n_input=run.n_input)
    assert ended.ended_at_once
    assert ended.output_text == ""
    assert not Run(model, spec(generate=0), run.ids[: run.n_input], n_input=run.n_input).ended_at_once

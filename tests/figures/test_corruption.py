"""Where the words lie in a prompt that a causal trace puts noise on."""

from __future__ import annotations

import pytest
from networks import Copy, Load
from networks.runs import load

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.model import Run

from . import Part

TEXT = RunSpec(model="", prompt="1. Austria\n2. Be", generate=3)


def words(run: Run, positions: list[int]) -> str:
    """Return the text of tokens."""
    return "".join(run.tokens[position]["text"] for position in positions)


def test_the_subject_is_found_in_whatever_tokens_hold_it(part: Part, tiny: Load) -> None:
    """Where it first stands, in any case; another one gets the nearest words, or some."""
    find = part("causal_trace", "corruption").find_subject
    run = tiny("llama").run(TEXT)
    for subject in ("Austria", "austria", " Austria "):
        assert words(run, find(run, subject)).strip() == "Austria"
    with pytest.raises(
        BuildError, match=r"^unknown subject: 'Austira' is not in the prompt \(did you mean Austria\?\)"
    ):
        find(run, "Austira")
    with pytest.raises(
        BuildError, match=r"^unknown subject: 'X' is not in the prompt; it has 1\., Austria, 2\. and Be"
    ):
        find(run, "X")


@pytest.mark.parametrize(
    ("prompt", "subject", "before"),
    [
        ("The woman saw a man and", "man", "The woman saw a "),
        ("A Man, a woman", "man", "A "),  # written otherwise, but a word
        ("The women and", "omen", "The w"),  # a part of a word, where it stands alone nowhere
        ("日本の首都", "首都", "日本の"),
        ("café café", "café", ""),
    ],
)
def test_a_word_is_found_before_a_part_of_another(
    prompt: str, subject: str, before: str, part: Part, tiny: Load
) -> None:
    """Noise on `woman` would be a trace of another word than the one that is named."""
    run = tiny("llama").run(RunSpec(model="", prompt=prompt, generate=1))
    positions = part("causal_trace", "corruption").find_subject(run, subject)
    pieces = [run.model.pieces[token] for token in run.ids.tolist()]
    start, end = len(before.encode()), len((before + subject).encode())
    ends = [sum(map(len, pieces[: at + 1])) for at in range(len(pieces))]
    assert positions == [at for at, piece in enumerate(pieces) if ends[at] - len(piece) < end and ends[at] > start]


def test_words_of_a_chats_template_are_no_subject(part: Part, copy: Copy) -> None:
    """The prompt's own are meant."""
    folder = copy("llama")
    (folder / "chat_template.jinja").write_text("You answer the user. {{ messages[0].content }}")
    run = load(folder).run(RunSpec(model="", prompt="A user and", generate=1, chat=True))
    positions = part("causal_trace", "corruption").find_subject(run, "user")
    assert words(run, positions).strip() == "user"
    assert words(run, list(range(positions[0]))).rstrip() == "You answer the user. A"

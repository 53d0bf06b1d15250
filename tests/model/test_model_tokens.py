"""Tokens as a page shows them: no byte lost, no character broken, no space eaten."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks.tiny import CORPUS, END, make_tokenizer
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from builder.model.tokens import Pieces, Vocabulary, describe_tokens

BYTES = make_tokenizer()


def sentencepiece() -> PreTrainedTokenizerFast:
    """Return a tokenizer as Llama 2's: `▁` for spaces, one before the text, bytes as `<0xE6>` for what it lacks."""
    spaces = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = spaces
    trainer = trainers.BpeTrainer(vocab_size=120, show_progress=False)
    learner.train_from_iterator(["the countries are a list of the names </script> and more, the list"] * 3, trainer)
    learned = json.loads(learner.to_str())["model"]
    pieces = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(256)), *learned["vocab"]]
    merges = [tuple(pair) for pair in learned["merges"]]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, byte_fallback=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = spaces
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>")


PIECES = sentencepiece()


def wordpiece() -> PreTrainedTokenizerFast:
    """Return a tokenizer as BERT's."""
    words = {word: i for i, word in enumerate(["[UNK]", "un", "##believ", "##able", "news"])}
    tokenizer = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]")


def described(tokenizer: PreTrainedTokenizerFast, text: str) -> list[dict]:
    """Return `data.tokens` of a text that is all input."""
    ids = tokenizer(text)["input_ids"]
    return describe_tokens(Pieces(tokenizer), ids, len(ids), text)


def shown(tokens: list[dict]) -> str:
    """Return what a reader sees."""
    return "".join(token["text"] for token in tokens)


@pytest.mark.parametrize(
    "text", [" 東京", "\U0001f642", "</script>", "a\n\n\tb ", " \u00e9\u0301", "\U0001f469\u200d\U0001f680"]
)
@pytest.mark.parametrize("tokenizer", [BYTES, PIECES], ids=["bytes", "sentencepiece"])
def test_a_text_comes_back_whole(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    """Leading spaces, newlines, markup and split characters included (trap 8)."""
    assert shown(described(tokenizer, text)) == text
    assert "\ufffd" not in shown(described(tokenizer, text))


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
def test_any_text_comes_back_whole(text: str) -> None:
    """Whatever an author writes, and a byte-level tokenizer makes of it."""
    tokens = described(BYTES, text)
    assert shown(tokens) == text
    position = 0
    while position < len(tokens):
        size = tokens[position].get("span", 1)
        assert size >= 1
        assert all(token["span"] == 0 and token["text"] == "" for token in tokens[position + 1 : position + size])
        position += size


def test_a_split_character_is_one_span() -> None:
    """The first token of the smallest span that decodes has its text, each its own bytes."""
    ids = _split("🙂")
    tokens = describe_tokens(Pieces(BYTES), ids, len(ids))
    assert tokens[0]["text"] == "🙂"
    assert tokens[0]["span"] == 4
    assert [token["span"] for token in tokens[1:]] == [0, 0, 0]
    assert "".join(token["bytes"] for token in tokens) == "🙂".encode().hex()


def _split(text: str) -> list[int]:
    """Return a text's bytes as one token each."""
    table = {Pieces(BYTES)[i]: i for i in range(len(BYTES)) if len(Pieces(BYTES)[i]) == 1}
    return [table[bytes([byte])] for byte in text.encode()]


def test_bytes_that_are_no_text_stand_alone() -> None:
    """A model may generate half a character: the rest of the text is still shown as it is."""
    half = _split("🙂")[:2]
    ids = [*_split("a"), *half, *_split("b"), *half]
    tokens = describe_tokens(Pieces(BYTES), ids, 1)
    assert [token["text"] for token in tokens] == ["a", "\ufffd", "\ufffd", "b", "\ufffd", "\ufffd"]
    assert [token.get("bytes") for token in tokens] == [None, "f0", "9f", None, "f0", "9f"]
    assert not any("span" in token for token in tokens)
    assert [token["type"] for token in tokens] == ["input"] + ["output"] * 5


def test_a_span_does_not_reach_over_a_special_token() -> None:
    """An end token is text of its own, and marked."""
    end = BYTES.convert_tokens_to_ids(END)
    tokens = describe_tokens(Pieces(BYTES), [_split("é")[0], end, _split("é")[1]], 3)
    assert [token["text"] for token in tokens] == ["\ufffd", END, "\ufffd"]
    assert [token.get("special", False) for token in tokens] == [False, True, False]


def test_the_space_that_sentencepiece_puts_first_is_not_shown() -> None:
    """It is not in the prompt; spaces of the prompt's own are."""
    assert [token["text"] for token in described(PIECES, "the list")] == ["the", " list"]
    assert shown(described(PIECES, " the")) == " the"
    assert Pieces(PIECES).text(PIECES.convert_tokens_to_ids("▁the")) == " the"


def test_byte_fallback_is_bytes_and_not_its_name() -> None:
    """`<0xE6>` in a vocabulary stands for one byte."""
    pieces = Pieces(PIECES)
    assert pieces[PIECES.convert_tokens_to_ids("<0xE6>")] == b"\xe6"
    tokens = described(PIECES, "the 東")
    assert tokens[-3]["text"] == "東"
    assert tokens[-3]["span"] == 3
    assert [token["bytes"] for token in tokens[-3:]] == ["e6", "9d", "b1"]


def test_a_run_of_spaces_is_spaces_where_it_is_an_added_token() -> None:
    """Gemma lists ▁▁ and longer runs as added tokens; of a special token's name the sign is a part."""
    tokenizer = sentencepiece()
    tokenizer.add_tokens([AddedToken("▁▁", normalized=False)])
    tokenizer.add_special_tokens({"eos_token": "<end▁of▁text>"})
    pieces = Pieces(tokenizer)
    assert pieces[tokenizer.convert_tokens_to_ids("▁▁")] == b"  "
    assert pieces[tokenizer.eos_token_id].decode() == "<end▁of▁text>"


def test_a_vocabulary_counts_tokens_and_shows_bytes_where_there_is_no_text() -> None:
    """Two halves of a character are two tokens, and neither is a replacement sign."""
    pieces = Pieces(BYTES)
    first, second = BYTES("é")["input_ids"] if len(BYTES("é")["input_ids"]) == 2 else BYTES("\u07ff")["input_ids"][:2]
    word = BYTES("a")["input_ids"][0]
    vocabulary = Vocabulary(pieces)
    assert [vocabulary[token] for token in (word, first, second, word)] == [0, 1, 2, 0]
    assert vocabulary.texts == ["a", f"⟨{pieces[first].hex()}⟩", f"⟨{pieces[second].hex()}⟩"]


def test_wordpieces_are_joined_as_they_are_decoded() -> None:
    """`##` continues a word, anything else begins one."""
    assert [token["text"] for token in described(wordpiece(), "unbelievable news")] == ["un", "believ", "able", " news"]


def test_every_token_of_a_byte_level_vocabulary_is_its_own_bytes() -> None:
    """Joined, the pieces are the text's bytes: nothing is normalised on the way."""
    pieces = Pieces(BYTES)
    for text in CORPUS:
        assert b"".join(pieces[i] for i in BYTES(text)["input_ids"]) == text.encode()


def test_rows_beyond_the_vocabulary_have_a_name() -> None:
    """Embedding matrices are padded to round sizes, and a lens may rank such a row."""
    assert Pieces(BYTES).text(len(BYTES) + 5) == f"<{len(BYTES) + 5}>"

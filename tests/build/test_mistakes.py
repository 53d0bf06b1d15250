"""Bad input: an error with file, line and the nearest right value, several in one run, the last good site untouched."""

# ruff: noqa: E501 - the table of mistakes has one a line
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ARTICLE, SiteFolder

# what stands in an article's body (its first line is line 4), where something is wrong, and what the build says
MISTAKES = [
    (":::{figur} x.png\n:::", "4:5:", "unknown directive: figur (did you mean figure?)"),
    (":::{figure}\n:analysis: salency\n:prompt: x\n\nC.\n:::", "5:12:", "unknown analysis: salency (did you mean saliency?)"),
    (":::{figure}\n:analysis: tokens\n:promt: x\n\nC.\n:::", "6:2:", "unknown parameter of tokens: promt (did you mean prompt?)"),
    (":::{figure}\n:analysis: tokens\n:prompt: x\n:model: tny\n\nC.\n:::", "7:9:", "unknown model: tny (did you mean tiny?)"),
    ("Known [@knwon2020].", "4:8:", "unknown citation: knwon2020 (did you mean known2020?)"),
    ("See @fig-ab.\n\n:::{figure}\n:label: fig-abc\n:analysis: tokens\n:prompt: x\n\nC.\n:::", "4:5:", "unknown label: fig-ab (did you mean fig-abc?)"),
    ("## A {#sec-x}\n\n## B {#sec-x}", "6:1:", "duplicate label: sec-x"),
    (":::{figure} pcture.png\n:alt: x\n\nC.\n:::", "4:13:", "missing picture: pcture.png (did you mean picture.png?)"),
    ("$$\n\\frac{1}{\n$$", "6:3:", "invalid TeX"),
    ("[there](nowhere.md)", "4:1:", "broken link: nowhere.md"),
    ("[there](#nowhere)", "4:1:", "broken link: #nowhere"),
    ("A note.[^x]\n\n[^y]: Text.", "4:8:", "unknown footnote: x"),
    ('::' + ':{figure}\n:analysis: tokens\n:prompt: ""\n\nC.\n:::', "6:2:", "invalid prompt: it is empty"),
    (":::{figure} ../../../etc/passwd.png\n:alt: x\n\nC.\n:::", "4:13:", "invalid picture"),
    ("![x](../../../secret.png)", "4:1:", "invalid picture"),
    ("---\ntitel: x\n---\n", "2:1:", "unknown front matter: titel (did you mean title?)"),
    ("---\ntitle: [x\n---\n", "2:10:", "invalid YAML"),
    ("---\ntitle: x\nbibliography: [mising.bib]\n---\n", "3:16:", "missing"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "place", "message"), MISTAKES, ids=[message for _, _, message in MISTAKES])
def test_a_mistake_is_told_with_its_place_and_leaves_the_site(
    folder: SiteFolder, body: str, place: str, message: str
) -> None:
    """Every mistake of the list, each alone, after a good build."""
    folder.article("Plain words.")
    folder.write("content/a/picture.png", b"\x89PNG")
    folder.build()
    before = folder.snapshot()
    folder.article(body)
    told = folder.fail()
    assert any(line.startswith(f"content/a/article.md:{place}") and message in line for line in told), told
    assert folder.snapshot() == before


def test_all_mistakes_of_all_articles_come_in_one_run(folder: SiteFolder) -> None:
    """An author mends them all and builds once more."""
    for number, (body, _, _) in enumerate(MISTAKES):
        folder.article(body, slug=f"m{number}")
    folder.write("content/m7/picture.png", b"\x89PNG")
    told = folder.fail()
    for number, (_, _, message) in enumerate(MISTAKES):
        assert any(line.startswith(f"content/m{number}/") and message in line for line in told), (message, told)


def test_files_that_are_broken_are_told_before_anything_is_computed(
    folder: SiteFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An author with a large model does not wait an hour for it; one who made other mistakes, too, reads of all."""
    import builder.engine as module

    monkeypatch.setattr(module, "run_jobs", lambda *_, **__: pytest.fail("computed"))
    folder.write("content/a/picture.png", b"\x89PNG")
    folder.write("content/a/cover.png", b"\x89PNG\r\n")
    folder.write("content/a/plan.svg", "<svg")
    words = "![A dot](picture.png) ![A plan](plan.svg)\n\n[@knwon2020]\n"
    folder.article(ARTICLE.replace("title:", "thumbnail: cover.png\ntitle:") + words)
    told = folder.fail()
    starts = {line.partition(": ")[0]: line.split(": ")[1] for line in told}
    assert starts == {
        "content/a/picture.png": "invalid picture",
        "content/a/cover.png": "invalid picture",
        "content/a/plan.svg:1:1": "invalid picture",
        "content/a/article.md:27:2": "unknown citation",
    }


def test_without_strict_the_page_is_built_all_the_same(folder: SiteFolder) -> None:
    """`--no-strict` turns what can be survived into warnings."""
    folder.article(
        "Words [@knwon2020], @fig-x.[^x]\n\n:::{figure} no.png\n:alt: x\n\nC.\n:::\n\n[l](nowhere.md) $\\frac{$"
    )
    built = folder.build(settings={"strict": False})
    assert len(built.problems) >= 5
    assert {problem.severity for problem in built.problems} == {"warning"}
    assert "Words" in folder.read("a/index.html")


def test_a_prompt_longer_than_the_context_is_told_with_its_figure(folder: SiteFolder) -> None:
    """Known only when the model is there: still an author's error, at the figure's prompt."""
    folder.article(f":::{{figure}}\n:analysis: tokens\n:prompt: {'word ' * 300}\n\nC.\n:::")
    told = folder.fail()
    assert len(told) == 1
    assert told[0].startswith("content/a/article.md:6:2: ")
    assert "context" in told[0]


def test_a_model_that_is_no_causal_lm_is_told_with_its_figure(folder: SiteFolder, tiny_source: object) -> None:
    """An encoder writes nothing: it cannot have output tokens."""
    source = tiny_source("bert").source  # type: ignore[operator]
    folder.article(f":::{{figure}}\n:analysis: saliency\n:prompt: x\n:model: {source}\n\nC.\n:::")
    told = folder.fail()
    assert len(told) == 1
    assert "content/a/article.md:7:9: unsupported model: " in told[0]
    assert told[0].endswith("is an encoder, and saliency takes a decoder (a causal language model)")


def test_a_truncated_checkpoint_is_told_with_its_file(folder: SiteFolder) -> None:
    """A download that stopped half way."""
    weights = folder.root / "tiny" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2000])
    told = folder.fail()
    assert "model.safetensors" in told[0]


def test_a_model_folder_that_is_not_there_is_told(folder: SiteFolder) -> None:
    """A path is looked for from the site's folder."""
    folder.article(ARTICLE.replace("{prompt:", "{model: ./tny, prompt:"))
    assert "./tny" in folder.fail()[0]


def test_no_network_and_no_model_is_an_error_in_seconds(folder: SiteFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub id that is not on this machine, and a hub that is not to be had."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder.article(":::{figure}\n:analysis: tokens\n:prompt: x\n:model: somebody/something\n\nC.\n:::")
    told = folder.fail()
    assert "somebody/something" in told[0]
    assert told[0].startswith("content/a/article.md:7:9: ")


def test_a_full_disk_leaves_the_last_good_site(folder: SiteFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """No space for the new page: the old one stays, and the author reads why."""
    import builder.write as module

    folder.build()
    before = folder.snapshot()
    folder.article(ARTICLE.replace("Words", "Other words"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_store", full)
    told = folder.fail()
    assert "disk is full" in told[0]
    assert folder.snapshot() == before


def test_a_site_without_articles_is_told(folder: SiteFolder) -> None:
    """Nothing to build is an error, not an empty site."""
    (folder.root / "content/a/article.md").unlink()
    assert folder.fail() == ["content: missing articles: no content/SLUG/article.md"]


def test_the_command_exits_with_1_and_prints_each_problem(folder: SiteFolder) -> None:
    """What CI and editors see: `path:line:column: message`, then a count."""
    folder.article("Known [@knwon2020].\n\n[there](nowhere.md)")
    done = subprocess.run([sys.executable, "-m", "builder", "build"], cwd=folder.root, capture_output=True, text=True)
    assert done.returncode == 1
    assert "content/a/article.md:4:8: unknown citation: knwon2020" in done.stderr
    assert "content/a/article.md:6:" in done.stderr
    assert "2 errors" in done.stderr
    assert not (Path(folder.root) / "_site").exists()


def test_code_that_comes_with_weights_is_not_run(folder: SiteFolder) -> None:
    """The author reads how to say that they trust it, and nothing of it has run."""
    config = json.loads((folder.root / "tiny/config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config", "AutoModelForCausalLM": "mine.Model"}}
    folder.write("tiny/config.json", json.dumps(config))
    folder.write("tiny/mine.py", f"open({str(folder.root / 'ran')!r}, 'w')\nclass Config: pass\nclass Model: pass\n")
    (told,) = folder.fail()
    assert "say trust_remote_code = true" in told
    assert not (folder.root / "ran").exists()


def test_a_tokenizer_that_makes_no_tokens_is_told(folder: SiteFolder) -> None:
    """A checkpoint folder without tokenizer files loads one that is empty."""
    for file in (folder.root / "tiny").glob("tokenizer*"):
        file.unlink()
    assert "is it whole?" in folder.fail()[0]

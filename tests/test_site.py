"""A site is the folder whose `pyproject.toml` has `[tool.fanlight]`; what it says wrongly is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.__main__ import main
from builder.errors import BuildError
from builder.folders import built_in
from builder.site import SMOLLM2, find_site
from builder.write import check_output


def write(root: Path, text: str) -> Path:
    """Write a site's configuration."""
    (root / "pyproject.toml").write_text(text)
    return root


def test_a_site_is_found_from_a_folder_inside_it(tmp_path: Path) -> None:
    """`fanlight build` works from `content/x/`, too."""
    write(tmp_path, '[tool.fanlight]\ntitle = "Mine"\nbase_url = "https://a.org/b"\n')
    inside = tmp_path / "content" / "x"
    inside.mkdir(parents=True)
    site = find_site(inside)
    assert (site.root, site.title, site.output) == (tmp_path, "Mine", tmp_path / "_site")
    assert site.base_url == "https://a.org/b/"
    assert find_site(inside, output=tmp_path / "out").output == tmp_path / "out"


def test_an_output_that_is_a_link_stays_one(tmp_path: Path) -> None:
    """Where it leads is not taken for what was named, which `check_output` would let pass; a folder above may be."""
    root = tmp_path / "a"
    (root / "inside").mkdir(parents=True)
    (tmp_path / "b/_site").mkdir(parents=True)
    for link, target in ((root / "_site", "../b/_site"), (root / "named", "../b/_site"), (root / "via", "inside")):
        link.symlink_to(target)
    write(root, '[tool.fanlight]\noutput = "./named"\n')
    assert find_site(root).output == root / "named"
    assert find_site(root, output=root / "via/out").output == root / "inside/out"
    for output in (None, root / "_site"):
        with pytest.raises(BuildError, match="invalid output: the folder is a symbolic link"):
            check_output(find_site(root, output=output).output, root)


@pytest.mark.parametrize("words", [["build"], ["clean"], ["clean", "-o", "_site"]])
def test_another_site_behind_a_link_is_neither_written_nor_removed(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both say what is wrong, and every file of the other site is as it was."""
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))
    for name in ("a", "b"):
        (tmp_path / name / "content/p").mkdir(parents=True)
        (tmp_path / name / "content/p/article.md").write_text(f"---\ntitle: {name}\n---\nWords.\n")
        write(tmp_path / name, "[tool.fanlight]\nsearch = false\nsocial_cards = false\n")
    monkeypatch.chdir(tmp_path / "b")
    assert main(["build", "-q"]) == 0
    before = {file: file.read_bytes() for file in (tmp_path / "b/_site").rglob("*") if file.is_file()}
    monkeypatch.chdir(tmp_path / "a")
    (tmp_path / "a/_site").symlink_to("../b/_site")
    assert main(words) == 1
    assert "invalid output: the folder is a symbolic link; name the folder it leads to" in capsys.readouterr().err
    assert {file: file.read_bytes() for file in (tmp_path / "b/_site").rglob("*") if file.is_file()} == before


def test_models_are_read_with_their_settings(tmp_path: Path) -> None:
    """A short name stands for a source and how to load it."""
    write(tmp_path, '[tool.fanlight.models.tiny]\nsource = "./tiny"\nrevision = "main"\ntrust_remote_code = true\n')
    model = find_site(tmp_path).models["tiny"]
    assert (model.name, model.source, model.revision, model.trust_remote_code) == ("tiny", "./tiny", "main", True)


def test_the_default_model_is_there_unless_a_site_gives_its_name_to_another(tmp_path: Path) -> None:
    """All settings may be left out: figures that name no model have one that is pinned."""
    site = find_site(write(tmp_path, "[tool.fanlight]\n"))
    assert site.models == {site.model: SMOLLM2}
    assert SMOLLM2.source.startswith("pypi:")
    assert SMOLLM2.sha256
    write(tmp_path, '[tool.fanlight.models.smollm2]\nsource = "./mine"\n')
    assert find_site(tmp_path).models["smollm2"].source == "./mine"


def test_a_sites_own_theme_comes_before_ours(tmp_path: Path) -> None:
    """A site overrides templates one by one."""
    write(tmp_path, "[tool.fanlight]\n")
    assert find_site(tmp_path).folders("theme") == (built_in("theme"),)
    (tmp_path / "theme").mkdir()
    assert find_site(tmp_path).folders("theme") == (tmp_path / "theme", built_in("theme"))


def test_no_site_is_an_error(tmp_path: Path) -> None:
    """A `pyproject.toml` of another project is not a site."""
    write(tmp_path, '[project]\nname = "x"\n')
    with pytest.raises(BuildError, match=r"missing site: .*; `fanlight new DIR` makes one"):
        find_site(tmp_path)


def test_wrong_settings_are_told_together_with_their_lines(tmp_path: Path) -> None:
    """Unknown keys get the nearest right one; wrong types what was wanted."""
    write(tmp_path, '[tool.fanlight]\ntitel = "x"\nstrict = "yes"\nmodels = 3\n')
    with pytest.raises(BuildError) as caught:
        find_site(tmp_path)
    assert [str(p).rsplit("pyproject.toml:", 1)[1] for p in caught.value.problems] == [
        "2: unknown setting: titel (did you mean title?)",
        "3: invalid setting: strict must be true or false",
        "4: invalid setting: models must be a table",
    ]


@pytest.mark.parametrize("language", ["English", "pt_BR", "", "en us"])
def test_a_language_is_a_tag(tmp_path: Path, language: str) -> None:
    """Browsers, readers aloud and search engines take no other."""
    write(tmp_path, f'[tool.fanlight]\nlanguage = "{language}"\n')
    wrong = rf"2: invalid setting: language = '{language}' \(write it as en, pt-BR or ar\)"
    with pytest.raises(BuildError, match=wrong):
        find_site(tmp_path)


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", False), ("he", True), ("fa-IR", True), ("az-Arab", True), ("ks-Deva", False), ("AR", True), ("de", False)],
)
def test_a_language_has_a_direction(tmp_path: Path, language: str, expected: bool) -> None:
    """Its script's, where the tag names one."""
    write(tmp_path, f'[tool.fanlight]\nlanguage = "{language}"\n')
    assert find_site(tmp_path).is_right_to_left == expected


def test_a_model_without_a_source_or_with_unknown_settings_is_an_error(tmp_path: Path) -> None:
    """A slip in a model's table does not wait until the model is loaded."""
    write(tmp_path, '[tool.fanlight.models.a]\nsorce = "x"\n[tool.fanlight.models.b]\nsource = "x"\nrevison = "y"\n')
    with pytest.raises(BuildError) as caught:
        find_site(tmp_path)
    text = str(caught.value)
    assert "pyproject.toml:1: missing source: model a" in text
    assert "pyproject.toml:5: unknown model setting: revison (did you mean revision?)" in text


def test_broken_toml_has_line_and_column(tmp_path: Path) -> None:
    """The place where the parser gave up."""
    write(tmp_path, '[tool.fanlight]\ntitle = "x\n')
    with pytest.raises(BuildError, match=r"pyproject\.toml:2:\d+: invalid TOML"):
        find_site(tmp_path)


def test_toml_that_ends_too_soon_is_told_at_its_end(tmp_path: Path) -> None:
    """There the parser gives no line."""
    write(tmp_path, '[tool.fanlight]\ntitle = "x"\n[tool.fan')
    with pytest.raises(BuildError, match=r"pyproject\.toml:3: invalid TOML"):
        find_site(tmp_path)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b"[tool]\nfanlight = 3\n", ":2: invalid setting: fanlight must be a table, [tool.fanlight]"),
        (b'[tool.fanlight]\ntitle = "\xff"\n', ":2: invalid TOML: it is not UTF-8"),
        (b"tool = 3\n", "missing site: "),
    ],
)
def test_settings_of_another_form_are_told(tmp_path: Path, written: bytes, told: str) -> None:
    """They are an author's mistake as any other."""
    (tmp_path / "pyproject.toml").write_bytes(written)
    with pytest.raises(BuildError) as caught:
        find_site(tmp_path)
    assert told in str(caught.value)


def test_a_mark_of_byte_order_is_no_part_of_the_settings(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    (tmp_path / "pyproject.toml").write_bytes(b'\xef\xbb\xbf[tool.fanlight]\ntitle = "Mine"\n')
    assert find_site(tmp_path).title == "Mine"

"""A kind is a folder: it is found by being there, and its digest follows the code it runs."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from builder import kind
from builder.errors import BuildError
from builder.folders import built_in
from builder.kind import code_digest, load_kinds

ANALYSIS = """
from dataclasses import dataclass
from builder.figure import Answer

@dataclass(frozen=True)
class Params:
    n: int = 1

def analyse(run, params):
    from .method import answer
    return Answer(answer(params.n), {})

def describe(data):
    return "A figure."
"""


def make_kind(figures: Path, name: str = "mine", analysis: str = ANALYSIS) -> Path:
    """Write a kind's folder."""
    folder = figures / name
    folder.mkdir(parents=True)
    (folder / "analysis.py").write_text(analysis)
    (folder / "method.py").write_text("def answer(n):\n    return {'n': n}\n")
    return folder


def test_the_built_in_kinds_are_found() -> None:
    """No list is edited for a kind; `shared/` is none."""
    kinds = load_kinds([built_in("figures")])
    assert {"tokens", "saliency", "rankings"} <= set(kinds)
    assert "shared" not in kinds


def test_a_sites_own_kind_wins_over_a_built_in_one(tmp_path: Path) -> None:
    """A site may replace `tokens`, or bring a kind of its own."""
    own = make_kind(tmp_path / "figures", "tokens")
    make_kind(tmp_path / "figures", "mine")
    kinds = load_kinds([tmp_path / "figures", built_in("figures")])
    assert kinds["tokens"].folder == own
    assert kinds["mine"].analysis.analyse(None, kinds["mine"].analysis.Params(n=3)).data == {"n": 3}


def test_two_folders_of_one_name_do_not_mix(tmp_path: Path) -> None:
    """Two sites in one process (tests, a preview) may each have a kind `mine`."""
    first, second = (load_kinds([tmp_path / side])["mine"] for side in ("a", "b") if make_kind(tmp_path / side))
    assert first.analysis is not second.analysis


def test_threads_import_a_kind_once_and_whole(tmp_path: Path) -> None:
    """One that comes while another one imports it waits; what it would find is half a module."""
    slow = ANALYSIS.replace("def analyse", "import time\ntime.sleep(0.2)\n\ndef analyse", 1)
    make_kind(tmp_path, analysis=slow)
    kind = load_kinds([tmp_path])["mine"]
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(kind.analysis.describe)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [kind.analysis.describe] * 4


def test_the_digest_follows_the_kinds_own_modules(tmp_path: Path) -> None:
    """Editing a method makes its results stale; editing how it is drawn does not."""
    folder = make_kind(tmp_path)
    before = code_digest(folder)
    (folder / "view.js").write_text("export default () => {}")
    assert code_digest(folder) == before
    (folder / "method.py").write_text("def answer(n):\n    return {'n': n + 1}\n")
    assert code_digest(folder) != before


def test_the_digest_follows_the_data_that_a_kind_may_read(tmp_path: Path) -> None:
    """Numbers from elsewhere lie beside the code; who changes them, at any depth, or names them anew, asks again."""
    folder = make_kind(tmp_path)
    (folder / "data").mkdir()
    digests = [code_digest(folder)]
    for content in (b"1, 2\r\n", b"1, 2\n", b"1, 3\n"):
        (folder / "data" / "weights.csv").write_bytes(content)
        digests.append(code_digest(folder))
    (folder / "data" / "weights.csv").rename(folder / "data" / "others.csv")
    digests.append(code_digest(folder))
    assert len(set(digests)) == 5


def test_a_sites_settings_are_no_part_of_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one there would make every stored answer stale; what a model's source says counts, and is read."""
    read: set[str] = set()
    source = kind._source
    monkeypatch.setattr(kind, "_source", lambda file, mtime: (read.add(file.as_posix()), source(file, mtime))[1])
    for each in load_kinds([built_in("figures")]).values():
        code_digest(each.folder)
    ours = {name.partition("/builder/")[2] for name in read}
    assert {"folders.py", "model_source.py", "model/__init__.py"} <= ours
    assert not {name for name in ours if name.startswith(("site/", "page/", "plan"))}


def test_the_digest_leaves_out_what_makes_no_answer(tmp_path: Path) -> None:
    """How a figure is drawn, its example, and what systems and editors leave behind."""
    folder = make_kind(tmp_path)
    before = code_digest(folder)
    for name in ("view.css", "fallback.html", "thumbnail.svg", "example.json", "example/self-0.json", ".DS_Store"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("changed")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "method.cpython-311.pyc").write_bytes(b"")
    assert code_digest(folder) == before


def test_the_digest_follows_project_modules_imported_inside_functions(tmp_path: Path) -> None:
    """What `analyse` imports from `builder` counts, at any depth."""
    plain = code_digest(make_kind(tmp_path / "a"))
    deeper = ANALYSIS.replace("from .method import answer", "from .method import answer\n    import builder.status")
    assert code_digest(make_kind(tmp_path / "b", analysis=deeper)) != plain


def test_the_digest_does_not_know_where_a_checkout_lies(tmp_path: Path) -> None:
    """The same code in another folder, with other line ends, gives the same digest."""
    first, second = make_kind(tmp_path / "a"), make_kind(tmp_path / "b")
    source = (second / "method.py").read_bytes()
    (second / "method.py").write_bytes(source.replace(b"\n", b"\r\n"))
    assert code_digest(first) == code_digest(second)


@pytest.mark.parametrize("analysis", ["def (", "import nothing_of_that_name"])
def test_a_kind_that_cannot_be_imported_is_an_error_with_its_path(tmp_path: Path, analysis: str) -> None:
    """The author of a kind reads which file is at fault."""
    make_kind(tmp_path, analysis=analysis)
    with pytest.raises(BuildError, match=r"analysis\.py:.*invalid kind: mine cannot be imported"):
        load_kinds([tmp_path])["mine"].analysis  # noqa: B018

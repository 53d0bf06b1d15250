"""KaTeX at build time: errors that point, nothing that harms, and formulas that are typeset once."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder import mathematics
from builder.errors import BuildError
from builder.mathematics import Katex, TexError
from builder.mathematics.formulas import Formulas

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "theme" / "built" / "katex" / "katex.min.js"


@pytest.fixture(scope="module")
def katex() -> Katex:
    """KaTeX without a cache on disk."""
    return Katex(SCRIPT, None, {"R": r"\mathbb{R}", r"\half": r"\frac{1}{2}", r"\bad": r"1 + 2 + \fracc"})


def refusal(katex: Katex, tex: str) -> TexError:
    """Return the error that some TeX raises."""
    with pytest.raises(TexError) as caught:
        katex.render(tex, display=True)
    return caught.value


def test_a_formula_is_html_and_mathml(katex: Katex) -> None:
    """MathML for those who listen, HTML for those who look; displayed mathematics is marked as such."""
    html = katex.render(r"\frac{a}{b}", display=False)
    assert "<math xmlns=" in html
    assert "katex-html" in html
    assert "katex-display" not in html
    assert "katex-display" in katex.render(r"\frac{a}{b}", display=True)


def test_macros_are_an_articles_own(katex: Katex) -> None:
    """With or without their backslash; a definition in one formula does not reach the next."""
    assert "mathbb" in katex.render(r"\R", display=False)
    assert "mfrac" in katex.render(r"\half", display=False)
    katex.render(r"\gdef\mine{x} \mine", display=False)
    assert refusal(katex, r"\mine").message.startswith(r"unknown TeX command: \mine")
    assert refusal(Katex(SCRIPT), r"\R \half").message.startswith(r"unknown TeX command: \half")


@pytest.mark.parametrize(
    ("tex", "message", "marked"),
    [
        (r"a + \fracc{1}{2}", r"unknown TeX command: \fracc (did you mean \frac?)", r"\fracc"),
        ("x}", "invalid TeX: Expected 'EOF', got '}'", "}"),
        ("x_1_2", "invalid TeX: Double subscript", "_"),
        (r"𝔸é \fracc", r"unknown TeX command: \fracc (did you mean \frac?)", r"\fracc"),
        (r"\begin{matrx}x\end{matrx}", "unknown TeX environment: matrx", "{matrx}"),
        (r"x \label{eq:x}", r"unknown TeX command: \label (write {#eq-…} behind the closing $$)", r"\label"),
        (r"\eqref{eq:x}", r"unknown TeX command: \eqref (write @eq-… in the text)", r"\eqref"),
        (r"a \href{https://x.org}{b}", r"unsupported TeX command: \href is not trusted", r"\href"),
        ("$$\nx", "invalid TeX: Can't use function '$' in math mode", "$"),
        ("a\n+ b \\\\ \n c }", "invalid TeX: Expected 'EOF', got '}'", "}"),
    ],
)
def test_an_error_points_at_what_is_wrong(katex: Katex, tex: str, message: str, marked: str) -> None:
    """In characters of the TeX as it was given, also behind characters that JavaScript counts twice."""
    error = refusal(katex, tex)
    assert error.message == message
    assert tex[error.offset : error.offset + error.length] == marked


def test_an_error_at_the_end_points_behind_it(katex: Katex) -> None:
    """What is missing is missing at the end."""
    error = refusal(katex, r"\frac{1")
    assert (error.offset, error.length) == (7, 0)


def test_an_error_in_a_macro_points_at_its_use(katex: Katex) -> None:
    """KaTeX counts into the macro's own text there, which is not in the article."""
    tex = r"a + b + \bad + c"
    error = refusal(katex, tex)
    assert error.message == r"unknown TeX command: \fracc, in a macro (did you mean \frac?)"
    assert tex[error.offset : error.offset + error.length] == r"\bad"


def test_terms_may_be_named_for_explorables(katex: Katex) -> None:
    r"""`\htmlClass` and `\htmlData` reach the page under our own names and no others."""
    assert 'class="enclosing term-query"' in katex.render(r"\htmlClass{term-query}{Q}", display=False)
    assert 'data-term="query"' in katex.render(r"\htmlData{term=query}{Q}", display=False)
    for tex in (
        r"\htmlClass{page}{x}",
        r"\htmlClass{term onload}{x}",
        r"\htmlData{src=x}{x}",
        r"\htmlStyle{position:fixed}{x}",
        r"\htmlId{top}{x}",
        r"\includegraphics{x.png}",
        r"\url{javascript:alert(1)}",
        r"\href{javascript:alert(1)}{x}",
    ):
        assert refusal(katex, tex).message.startswith("unsupported TeX command: ")


@pytest.mark.parametrize("tex", [r"\def\a{\a\a}\a", "{" * 20_000, r"\sqrt{" * 3_000 + "}" * 3_000, "x" + "^{x" * 5_000])
def test_endless_and_huge_formulas_are_refused(katex: Katex, tex: str) -> None:
    """Without taking the process along."""
    refusal(katex, tex)
    assert katex.render("x", display=False)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*"\\{}$&#^_~%ab1 \n<>\"'é𝔸", r"\frac", r"\text{", r"\left(", r"\bad"]), max_size=20))
def test_any_tex_is_typeset_or_refused(pieces: list[str]) -> None:
    """Nothing but a `TexError` comes out, it points into the TeX, and no markup comes through."""
    katex = Katex(SCRIPT, None, {"bad": r"\undefined"})
    tex = "".join(pieces)
    try:
        html = katex.render(tex, display=False)
    except TexError as error:
        refused = error
    else:
        assert "<script" not in html
        assert html.count("<") == html.count(">")
        return
    assert 0 <= refused.offset <= refused.offset + refused.length <= len(tex)


# The cache


def test_a_formula_is_typeset_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next build reads it from disk and starts no engine; another look is another entry."""
    katex = Katex(SCRIPT, tmp_path)
    html = katex.render("x^2", display=True)
    katex.flush()

    def fail(script: Path) -> Any:
        raise AssertionError("the engine was started")

    monkeypatch.setattr(mathematics, "_engine", fail)
    assert Katex(SCRIPT, tmp_path).render("x^2", display=True) == html
    for other in (lambda: Katex(SCRIPT, tmp_path).render("x^2", display=False),
                  lambda: Katex(SCRIPT, tmp_path, {"a": "b"}).render("x^2", display=True)):  # fmt: skip
        with pytest.raises(AssertionError, match="engine"):
            other()


def test_a_cache_that_cannot_be_used_costs_only_time(tmp_path: Path) -> None:
    """A file in its place, a damaged one, an empty entry."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    html = Katex(SCRIPT, blocked).render("x", display=False)
    for n, damage in enumerate((b"no database", b"SQLite format 3\0" + bytes(84))):
        folder = tmp_path / str(n)
        folder.mkdir()
        (folder / "formulas.sqlite3").write_bytes(damage)
        assert Katex(SCRIPT, folder).render("x", display=False) == html
    formulas = Formulas(tmp_path / "formulas.sqlite3")
    formulas.put("key", "")
    assert formulas.find("key") is None
    formulas.put("key", html)
    formulas.close()
    assert Formulas(tmp_path / "formulas.sqlite3").find("key") == html


def test_a_damaged_store_is_made_anew(tmp_path: Path) -> None:
    """What was lost is typeset again, and kept again."""
    file = tmp_path / "formulas.sqlite3"
    file.write_bytes(b"no database at all")
    for _ in range(2):  # the first time it is found out
        formulas = Formulas(file)
        formulas.put("key", "html")
        formulas.close()
    assert Formulas(file).find("key") == "html"


def test_an_error_is_not_kept(tmp_path: Path) -> None:
    """A refused formula leaves nothing behind."""
    refusal(Katex(SCRIPT, tmp_path), "}")
    assert Formulas(tmp_path / "formulas.sqlite3").find(Katex(SCRIPT)._key("}", False)) is None


def test_threads_share_one_engine(tmp_path: Path) -> None:
    """An engine must be used from the thread that made it; callers need not know."""
    katex = Katex(SCRIPT, tmp_path)
    results: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: results.append(katex.render(f"x_{{{n % 3}}}", display=False)))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(results) == 12
    assert len(set(results)) == 3


def test_a_program_that_typeset_ends(tmp_path: Path) -> None:
    """The engine's thread keeps no process alive, not even after an error."""
    program = (
        "from pathlib import Path; from builder.mathematics import Katex\n"
        f"katex = Katex(Path({str(SCRIPT)!r})); print(len(katex.render('x', True)) > 0); katex.render('}}', True)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.stdout.strip() == "True"
    assert done.returncode == 1
    assert "TexError: invalid TeX" in done.stderr.splitlines()[-1]


def test_missing_katex_is_said(tmp_path: Path) -> None:
    """With what brings it."""
    with pytest.raises(BuildError, match="missing KaTeX"):
        Katex(tmp_path / "katex.min.js").render("x", display=False)

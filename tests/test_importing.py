"""Importing: pages of Distill's templates and posts of Jekyll's become articles, and what cannot is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from builder.__main__ import main
from builder.article import read_article
from builder.directives import make_parser
from builder.errors import BuildError
from builder.importing import Imported, import_article
from builder.importing.files import Files
from builder.importing.markdown import Writer
from builder.importing.shelter import Shelter
from builder.importing.tree import Element, Text
from builder.library import Library
from builder.site import Site, find_site
from builder.source_map import Source

FIXTURES = Path(__file__).parent / "fixtures" / "importing"
POST = FIXTURES / "jekyll" / "_posts" / "2025-04-28-tides.md"
PAGE, OLD = FIXTURES / "distill" / "breakers.html", FIXTURES / "distill" / "old.html"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with an article that a post links to."""
    (tmp_path / "content" / "waves").mkdir(parents=True)
    (tmp_path / "content" / "waves" / "article.md").write_text("---\ntitle: Waves\n---\n\nThey break.\n")
    (tmp_path / "pyproject.toml").write_text("[tool.fanlight]\n")
    return find_site(tmp_path)


def text_of(done: Imported) -> str:
    """Return the article."""
    return (done.folder / "article.md").read_text(encoding="utf-8")


def told(done: Imported) -> set[str]:
    """Return what was told of the source, with its lines."""
    return {f"{problem.line}: {problem.message}" for problem in done.problems if problem.path.parent != done.folder}


def write(folder: Path, body: str, name: str = "post.md") -> Path:
    """Write a source of one's own."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"---\ntitle: T\n---\n{body}" if name.endswith(".md") else body, encoding="utf-8")
    return file


@pytest.mark.parametrize("source", [POST, PAGE, OLD], ids=["post", "page", "old"])
def test_an_imported_article_has_no_mistakes_of_ours(source: Path, site: Site) -> None:
    """It parses without errors: citations, formulas, labels, links and files are right, but for alt texts."""
    done = import_article(source, site)
    library = Library(site)
    article = read_article(done.folder / "article.md", site)
    document = library.parse(article, {"waves": site.content / "waves" / "article.md", article.slug: article.path})
    assert [p.message for p in document.problems if not p.message.startswith("missing alt text")] == []
    expected = source.parent / f"{source.stem}.expected.md"
    if text_of(done) != expected.read_text(encoding="utf-8"):
        expected.with_name(f"{source.stem}-changed.md").write_text(text_of(done), encoding="utf-8")
    assert text_of(done) == expected.read_text(encoding="utf-8")


def test_what_a_post_cannot_take_along_is_told_with_its_line(site: Site) -> None:
    """Scripts, frames, styles, tags of Liquid, missing files: each at its place in the source, none silently."""
    assert told(import_article(POST, site)) == {
        "23: unsupported style: _styles (put what it is for into theme/css/site.css)",
        "25: unsupported front matter: mystery",
        "35: broken link: /about/",
        "44: unsupported attributes: {: .moon}",
        "71: unsupported layout: l-page of what is no figure",
        "72: unsupported iframe: https://example.org/tide.html",
        "75: missing picture: assets/img/tides/lost.png",
        "77: missing picture: ../../../../../etc/passwd.png",
        "83: unsupported tag: {% if page.tide %}",
        "99: unsupported script: https://example.org/evil.js",
        "101: unknown tag: <blink>",
        "101: unsupported style: color: blue",
    }


def test_what_a_page_cannot_take_along_is_told_with_its_line(site: Site) -> None:
    """The template's own script is no loss; the page's are, and its styles, sliders and films."""
    assert told(import_article(PAGE, site)) == {
        "6: unsupported style",
        "32: unsupported link: javascript:alert(1)",
        "43: unsupported figure: there is no picture in it",
        "43: unsupported script",
        "57: unsupported video: https://example.org/v.mp4",
        "58: unsupported picture: https://example.org/far.png (pages ask no other host; put it beside the article)",
        "61: unknown tag: <d-slider>",
    }


def test_files_come_along_and_run_nothing(site: Site) -> None:
    """Pictures and bibliography lie beside the article; a drawing out of a page has lost its scripts."""
    done = import_article(PAGE, site)
    assert set(done.files) == {"article.md", "bibliography.bib", "drawing.svg", "picture.png", "wave.png"}
    assert (done.folder / "wave.png").read_bytes() == (PAGE.parent / "wave.png").read_bytes()
    drawing = (done.folder / "drawing.svg").read_text()
    assert "circle" in drawing
    assert "alert" not in drawing


@pytest.mark.parametrize("body", ["[x](evil.svg)", "![x](evil.svg)", '<img src="evil.svg" alt="x">'])
def test_a_drawing_that_would_run_something_stays_behind(body: str, site: Site, tmp_path: Path) -> None:
    """Whether it is linked to or shown: opened by itself it is a page of the site."""
    folder = tmp_path / "source"
    source = write(folder, f"{body}\n")
    (folder / "evil.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    done = import_article(source, site)
    held = "it holds a script (<script>), which would run where the drawing is opened"
    assert told(done) == {f"4: unsupported picture: evil.svg ({held})"}
    assert done.files == ("article.md",)


def test_nothing_is_overwritten_unless_told(site: Site) -> None:
    """A folder that is there stays as it is; with force, other files in it stay too. Nothing else is left behind."""
    done = import_article(OLD, site)
    (done.folder / "article.md").write_text("mine")
    (done.folder / "notes.txt").write_text("mine")
    with pytest.raises(BuildError, match="there is an article of that name"):
        import_article(OLD, site)
    assert (done.folder / "article.md").read_text() == "mine"
    import_article(OLD, site, force=True)
    assert text_of(done).startswith("---\ntitle: An old page\n")
    assert (done.folder / "notes.txt").read_text() == "mine"
    assert {entry.name for entry in site.root.iterdir()} == {"content", "pyproject.toml"}


@pytest.mark.parametrize(
    "body",
    [
        '<img src="../secret.png" alt="x">\n',
        '<img src="link.png" alt="x">\n',
        "![x](/../secret.png)\n",
        "![x](%2e%2e/secret.png)\n",
        '{% include figure.html path="../secret.png" %}\n',
        "[x](../secret.txt)\n",
        "[x](.hidden/secret.txt)\n",
    ],
)
def test_a_path_that_leaves_its_folder_is_not_followed(body: str, site: Site, tmp_path: Path) -> None:
    """Upwards, by a link, encoded or hidden: what lies elsewhere is not copied, and told."""
    (tmp_path / "secret.png").write_bytes((PAGE.parent / "wave.png").read_bytes())
    (tmp_path / "secret.txt").write_text("secret")
    source = write(tmp_path / "source", body)
    (source.parent / ".hidden").mkdir()
    (source.parent / ".hidden" / "secret.txt").write_text("secret")
    (source.parent / "link.png").symlink_to(tmp_path / "secret.png")
    done = import_article(source, site)
    assert done.files == ("article.md",)
    assert told(done)


def test_hostile_sources_end_well(site: Site, tmp_path: Path) -> None:
    """Tags nested without end, no encoding, null bytes, too much: an article or an error of the author's, soon."""
    folder = tmp_path / "source"
    import_article(write(folder, "<div>" * 20_000 + "x", "deep.html"), site)
    assert "&lt;script" not in text_of(
        import_article(write(folder, "<p>&lt;script&gt;alert(1)&lt;/script&gt;", "a.html"), site)
    )
    (folder / "latin.html").write_bytes("<p>Grüße\0".encode("cp1252"))
    done = import_article(folder / "latin.html", site)
    assert "Grüße" in text_of(done)
    assert "1: invalid encoding: latin.html is not UTF-8" in told(done)
    (folder / "huge.html").write_bytes(b" " * (11 << 20))
    with pytest.raises(BuildError, match="more than 10 MB"):
        import_article(folder / "huge.html", site)
    with pytest.raises(BuildError, match=r"missing file: none\.html"):
        import_article(folder / "none.html", site)
    with pytest.raises(BuildError, match="unsupported file"):
        import_article(write(folder, "", "a.docx"), site)


@pytest.mark.parametrize("slug", ["../x", "a/b", "", ".", "..", "assets", "/x"])
def test_an_article_lies_in_content(slug: str, site: Site) -> None:
    """A name that leads elsewhere is none, and nothing is written."""
    with pytest.raises(BuildError, match="invalid slug"):
        import_article(OLD, site, slug=slug)
    with pytest.raises(BuildError, match="an article lies in content/"):
        import_article(OLD, site, into=site.root / "elsewhere")
    assert {entry.name for entry in site.root.iterdir()} == {"content", "pyproject.toml"}
    assert [entry.name for entry in site.content.iterdir()] == ["waves"]


def test_a_page_without_a_name_has_its_folder_s(site: Site, tmp_path: Path) -> None:
    """`waves-of-sea/public/index.html` is `waves-of-sea`."""
    (tmp_path / "Waves of Sea").mkdir()
    page = write(tmp_path / "Waves of Sea" / "public", "<p>x", "index.html")
    assert import_article(page, site).folder.name == "waves-of-sea"


def test_the_command_tells_and_writes(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`fanlight import FILE --slug NAME` says where the article is, and what to look at."""
    monkeypatch.chdir(site.root)
    assert main(["import", str(OLD), "--slug", "shore"]) == 0
    assert (site.content / "shore" / "article.md").is_file()
    assert "3 files in content/shore" in "".join(capsys.readouterr())
    assert main(["import", str(OLD), "--into", "elsewhere/x"]) == 1


def imported(body: str, site: Site, folder: Path, name: str) -> str:
    """Import a source of one's own and return the article's body."""
    return text_of(import_article(write(folder, body, name), site, force=True)).split("---\n", 2)[2].strip()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (r"a $$x$$ b, $$y$$." + "\n", "a $x$ b, $y$."),
        ("a\n\n$$\nx\n\n$$\n\nb\n", "$$\nx\n$$"),
        ("$$ x $$.\n", "$$\nx.\n$$"),
        (r"\\(x\\) is 3$$y$$4" + "\n", "$x$ is &#51;$y$&#52;"),
        ("\\begin{align}\na\n\\end{align}\n", "$$\n\\begin{align*}\na\n\\end{align*}\n$$"),
        (r"$$\label{eq:E_1} x \text{ if $y$}$$ and $\eqref{eq:E_1}$" + "\n", "@eq-e-1"),
        ("Pay $5 or $6.\n", "Pay $5 or $6."),
        ("## T\n{: #here}\n\nx\n", "## T {#here}"),
        ("{% raw %}{{ x }}{% endraw %}\n", "{{ x }}"),
        ("a\n\n> ##### TIP\n>\n> b\n{: .block-tip }\n\nc\n", "a\n\n:::{tip}\n\nb\n:::\n\nc"),
        ("a\n\n> b\n{: .block-danger }\n", ":::{caution}\nb\n:::"),
        ("{% cite a b %} {{ page.title }}\n", "[@a; @b] T"),
        ("- a\n\n  ```\n  <b>\n  ```\n", "- a\n\n  ```\n  <b>\n  ```"),
        ("<details><summary>S</summary><p>x</p></details>\n", ":::{note} S\n:collapse: true\n\nx\n:::"),
        ('<p align="center"><img src="w.png" alt="W"></p>\n<div class="caption">C</div>\n', ":alt: W\n\nC\n:::"),
        ('<object data="w.png"></object>\n', "![](w.png)"),
        ("See Fig. 2.\n\n<figure><img src='w.png'><figcaption>Fig. 2: C</figcaption></figure>\n", "See @fig-2."),
    ],
)
def test_the_dialect_of_posts(body: str, expected: str, site: Site, tmp_path: Path) -> None:
    """What kramdown, Liquid and al-folio write in their way is written in ours."""
    write(tmp_path / "source", "", "x.md")
    (tmp_path / "source" / "w.png").write_bytes((PAGE.parent / "wave.png").read_bytes())
    assert expected in imported(body, site, tmp_path / "source", "post.md")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<p>x <span class="katex"><annotation encoding="application/x-tex">y</annotation></span>', "x $y$"),
        ('<script type="math/tex; mode=display">x</script>', "$$\nx\n$$"),
        (r"<p>\(x\), $5 and \[y\]", "$x$, \\$5 and"),
        ('<p>by <d-cite key="a b"></d-cite>(c)', "[@ab]\\(c)"),
        ("<p>x<d-footnote><p>a<p>b <d-math block>\ny\n</d-math></d-footnote>", "x^[a b $$y$$]"),
        (
            (
                "<figure><div><img src='a.png'><figcaption>A</figcaption></div><div><img src='b.png'>"
                "<figcaption>B</figcaption></div></figure>"
            ),
            ":::{figure} a.png\nA\n:::\n\n:::{figure} b.png\nB\n:::\n::::",
        ),
        ("<ul><li>a<ul><li>b</ul><li><p>c<p>d</ul>", "- a\n\n  - b\n\n- c\n\n  d"),
        ("<p>a<b>b </b>c <i></i>", "a**b** c"),
        ("<pre>a  b\n  &lt;c></pre>", "```\na  b\n  <c>\n```"),
        ("<aside><aside>x</aside></aside>", "::::{aside}\n:::{aside}\nx\n:::\n::::"),
        ('<a href="//example.org/a b">x</a>', "[x](https://example.org/a%20b)"),
    ],
)
def test_the_dialect_of_pages(body: str, expected: str, site: Site, tmp_path: Path) -> None:
    """Formulas of every template, notes, nested lists and code of a page are written in our way."""
    write(tmp_path / "source", "", "x.md")
    for name, colour in (("a.png", "red"), ("b.png", "blue")):
        Image.new("RGB", (1, 1), colour).save(tmp_path / "source" / name)
    assert expected in imported(body, site, tmp_path / "source", "p.html")


def test_macros_and_a_bibliography_in_the_page_come_along(site: Site, tmp_path: Path) -> None:
    """What a formula defines holds for all: it goes to front matter. JSON of a published page is BibTeX again."""
    entries = '[["k", {"type": "misc", "title": "T {A}", "year": "1999"}]]'
    body = (
        r"<d-math>\newcommand{\R}[1]{\mathbb{R}^{#1}}\def\a{b}</d-math><p><d-math>\R{2}\a</d-math> "
        f'<d-cite key="k"></d-cite><d-bibliography><script type="text/json">{entries}</script></d-bibliography>'
    )
    done = import_article(write(tmp_path / "source", body, "p.html"), site)
    assert "math:\n  macros:\n    \\R: \\mathbb{R}^{#1}\n    \\a: b\n" in text_of(done)
    assert (done.folder / "bibliography.bib").read_text() == "@misc{k,\n  title = {T {A}},\n  year = {1999}\n}\n"
    assert [problem for problem in done.problems if problem.severity == "error"] == []


@settings(max_examples=200, deadline=None)
@given(st.text("ab1 \\`*_[]<>$@#&^{}|~!:+=/;%()", min_size=1, max_size=40))
def test_plain_text_of_a_page_stays_what_it_says(text: str) -> None:
    """Whatever signs a page's text has, none of them means anything in the article."""
    assume(not re.search(r"\\[(\[]|\$\$", text))  # those are formulas on any page
    writer = Writer(Files(Path(), Path()), Shelter(), lambda message, line: None, "")
    markdown = writer.write([Element("p", {}, 1, [Text(f"a {text}", 1)])])
    tokens = make_parser().parse(markdown, {"source": Source(Path("a.md"), markdown, 1), "html": "safe"})
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert "".join(child.content for child in tokens[1].children) == " ".join(f"a {text}".split())

"""Addresses: of articles, of the site, and of what a page leads to."""

from __future__ import annotations

import pytest
from PIL import Image

from builder.build import Builder
from builder.errors import BuildError
from builder.site import find_site

from .conftest import ARTICLE, SiteFolder


def test_two_articles_of_one_address_are_told_apart_even_by_case(folder: SiteFolder) -> None:
    """`A` and `a` are two folders on one system and one on the next."""
    folder.article("Words.", slug="A")
    assert folder.fail() == ["content/a/article.md:1:1: duplicate slug: a (first in content/A/article.md)"]


def test_what_else_is_wrong_is_told_with_one_address_of_two(folder: SiteFolder) -> None:
    """In one run; and where an article is asked for that is not there, that alone."""
    folder.article("See [@nobody].", "b")
    folder.article("Words.", "B")
    told = folder.fail()
    assert "content/b/article.md:1:1: duplicate slug: b (first in content/B/article.md)" in told
    assert "content/b/article.md:4:6: unknown citation: nobody" in told
    (folder.root / "content/B/article.md").unlink()
    assert folder.fail(only=frozenset({"c"})) == ["unknown article: c (known: a, b)"]


@pytest.mark.parametrize("slug", ["assets", "Data", "tags"])
def test_an_article_does_not_take_the_sites_own_folders(folder: SiteFolder, slug: str) -> None:
    """What lies in `assets/` is kept for ever by readers' browsers; it is no place for a page."""
    folder.article("Words.", slug=slug)
    assert f"invalid slug: {slug} is where the site keeps other files" in folder.fail()[0]


def test_a_folder_whose_name_is_no_address_is_told_what_to_do(folder: SiteFolder) -> None:
    """Folders may be named as one likes, addresses not."""
    folder.article("Words.", slug="größe")
    assert "say another with `slug: …`" in folder.fail()[0]
    folder.article("---\ntitle: x\nslug: groesse\n---\nWords.", slug="größe")
    folder.build()
    assert "Words." in folder.read("groesse/index.html")


@pytest.mark.parametrize("link", ["../b/", "../b", "../b/article.md"])
def test_a_link_to_a_draft_says_so(folder: SiteFolder, link: str) -> None:
    """The page is there for the author and not for readers."""
    folder.article("---\ntitle: x\ndraft: true\n---\nWords.", slug="b")
    folder.article(f"[there]({link})")
    assert folder.fail() == [f"content/a/article.md:4:1: broken link: {link} is not built (is it a draft?)"]
    folder.build(settings={"drafts": True})


def test_only_makes_an_index_where_there_is_none(folder: SiteFolder) -> None:
    """The first build of a site may be one of a single article; its page leads to the index."""
    folder.article("Plain words.", slug="b")
    folder.build(only=frozenset({"b"}))
    assert 'href="b/"' in folder.read("index.html")


@pytest.mark.parametrize("written", ["https://example.org/p", "https://example.org/p/"])
def test_only_some_addresses_need_to_know_where_the_site_is(folder: SiteFolder, written: str) -> None:
    """The canonical link does; the lost page, shown at any depth, begins at the host's root and is nowhere itself."""
    folder.article("Words.")
    folder.build(settings={"base_url": written})
    assert '<link rel="canonical" href="https://example.org/p/a/">' in folder.read("a/index.html")
    lost = folder.read("404.html")
    assert 'href="/p/assets/' in lost
    assert "canonical" not in lost


@pytest.mark.parametrize("written", ["example.org", "javascript:alert(1)", "https://", "https://a b/", "https://x/?y"])
def test_a_base_url_that_is_none_is_told(folder: SiteFolder, written: str) -> None:
    """In the settings as on the command line."""
    config = folder.root / "pyproject.toml"
    config.write_text(config.read_text().replace("model =", f'base_url = "{written}"\nmodel ='))
    with pytest.raises(BuildError, match="invalid base_url") as caught:
        find_site(folder.root)
    assert caught.value.problems[0].line == 3


def test_titles_in_the_table_of_contents_keep_their_formulas_and_code(folder: SiteFolder) -> None:
    """And lose links, notes and citations, which do not belong there."""
    folder.article("## The rank $r_t$ of `x` <b>\n\nA.\n\n## Two [@known2020]\n\nB.\n\n## Three\n\nC.")
    folder.build()
    contents = folder.read("a/index.html").partition('<nav class="contents"')[2].partition("</nav>")[0]
    assert 'class="katex"' in contents
    assert "<code>x</code>" in contents
    assert "&lt;b&gt;" in contents
    assert "known2020" not in contents


def test_without_strict_a_figure_that_cannot_be_computed_leaves_the_rest(folder: SiteFolder) -> None:
    """A prompt too long for the model, or an answer that a frozen build does not have, can be survived."""
    folder.article(ARTICLE.replace('"The countries"', f'"{"word " * 300}"'))
    built = folder.build(settings={"strict": False})
    assert any("context" in problem.message for problem in built.problems)
    assert (built.computed, built.cached) == (0, 0)
    assert "Words before" in folder.read("a/index.html")
    folder.article(ARTICLE)
    built = folder.build(settings={"strict": False}, frozen=True)
    assert [problem.message.partition(":")[0] for problem in built.problems] == ["missing result"] * 2


def test_what_was_missing_is_found_when_it_is_there(folder: SiteFolder) -> None:
    """The preview reads an article with mistakes again: what it lacked may have come since."""
    folder.article("---\ntitle: x\nbibliography: [more.bib]\n---\n![A dot](pictures/dot.png) [@known2020]")
    builder = Builder(find_site(folder.root))
    with pytest.raises(BuildError):
        builder.build()
    folder.write("content/a/more.bib", "@misc{other, title={Other}}")
    with pytest.raises(BuildError, match="missing picture"):
        builder.build()
    picture = folder.write("content/a/pictures/dot.png", b"")
    with pytest.raises(BuildError, match="invalid picture"):
        builder.build()
    Image.new("L", (1, 1)).save(picture)
    builder.build()
    picture.unlink()
    with pytest.raises(BuildError, match="missing picture"):
        builder.build()

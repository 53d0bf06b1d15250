"""Where front matter begins and ends, and what is read of a file that has none, or is none."""

from __future__ import annotations

import pytest

from builder.article import read_article
from builder.figure import Option
from builder.site import Site

from .reading import read, told


def test_what_is_broken_at_one_key_leaves_the_others(site: Site) -> None:
    """What cannot be read is told for each key, and where it is; the rest is read, and its mistakes are told, too."""
    article = read(site, "date: [2025\ntitle: x\nupdatd: y\ntags: {b")
    assert article.meta.title == "x"
    assert told(article) == [
        "2:12: invalid YAML: expected ',' or ']', but got '<stream end>' (is a ] missing?)",
        "5:9: invalid YAML: expected ',' or '}', but got '<stream end>' (is a } missing?)",
        "4:1: unknown front matter: updatd (did you mean updated?)",
    ]


def test_an_article_without_front_matter_has_a_body(site: Site) -> None:
    """Only its title is missing."""
    path = site.content / "ranks" / "article.md"
    path.write_bytes(b"\xef\xbb\xbfText.\r\nMore.")
    article = read_article(path, site)
    assert (article.body, article.body_line) == ("Text.\nMore.", 1)
    assert told(article) == ["1: missing title: write `title: …` in the front matter"]


@pytest.mark.parametrize("fence", ["+++", "----", "--", "—", "–"])
def test_front_matter_that_begins_otherwise_is_told(site: Site, fence: str) -> None:
    """As Hugo's TOML does, or with a dash too many or too few, or where an editor drew them together."""
    path = site.content / "ranks" / "article.md"
    path.write_text(f"\n{fence}\ntitle: x\n{fence}\nText.\n", encoding="utf-8")
    wrong = f"2:1: invalid front matter: {fence} (write YAML between two lines ---)"
    assert told(read_article(path, site)) == [wrong]


def test_empty_lines_before_front_matter_do_no_harm(site: Site) -> None:
    """Nor do they move the lines that are told."""
    path = site.content / "ranks" / "article.md"
    path.write_text("\n \n---\ntitle: x\ntgas: y\n---\nText.\n")
    article = read_article(path, site)
    assert (article.meta.title, article.body, article.body_line) == ("x", "Text.\n", 7)
    assert told(article) == ["5:1: unknown front matter: tgas (did you mean tags?)"]


def test_front_matter_without_its_lines_is_told(site: Site) -> None:
    """The title is there; what lacks is said."""
    path = site.content / "ranks" / "article.md"
    path.write_text("title: x\n\nText.\n")
    wrong = "1:1: invalid front matter: title: … (write YAML between two lines ---)"
    assert told(read_article(path, site)) == [wrong]


def test_yaml_merges_what_it_is_told_to(site: Site) -> None:
    """`<<` takes what a key lacks from others, at their lines, and from none of them twice or for ever."""
    runs = "  a: &a {prompt: y, generate: 3}\n  b: {generate: 4, <<: *a}\n  c: &c {<<: [*a, *c]}"
    article = read(site, f"title: x\nruns:\n{runs}")
    assert told(article) == []
    assert article.meta.runs["b"] == {"prompt": Option("y", 4), "generate": Option("4", 5)}
    assert article.meta.runs["c"] == article.meta.runs["a"]


def test_front_matter_that_never_ends_is_told(site: Site) -> None:
    """Nothing after it would be read."""
    path = site.content / "ranks" / "article.md"
    path.write_text("---\ntitle: x\n")
    assert told(read_article(path, site)) == ["1:1: missing end of front matter: a line `---`"]


def test_what_is_not_utf8_is_no_article(site: Site) -> None:
    """The line of the first wrong byte is told, and nothing else."""
    path = site.content / "ranks" / "article.md"
    path.write_bytes(b"---\ntitle: \xff\n---\n")
    assert told(read_article(path, site)) == ["2: invalid article: it is not UTF-8"]


def test_an_empty_body_is_an_article(site: Site) -> None:
    """A body may come later."""
    assert read(site, "title: x", "").body == ""

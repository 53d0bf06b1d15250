"""Reading articles: front matter is typed, and whatever is wrong in it has a line and a column."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builder.article import Affiliation, Author
from builder.figure import Option
from builder.site import Site

from .reading import read, told


def test_every_key_is_read_into_its_type(site: Site) -> None:
    """All of publishing.md's front matter, as an author would write it."""
    (site.content / "ranks" / "own.bib").write_text("")
    (site.content / "ranks" / "cover.png").write_bytes(b"\x89PNG")
    article = read(
        site,
        r"""
title: "Ranks: what a model weighs"
subtitle: 1984
description: About ranks.
date: 2025-03-31
updated: 2025-04-01 10:00
authors:
  - name: Ada
    url: https://ada.example
    orcid: https://orcid.org/0000-0002-1825-0097
    email: ada@example.org
    affiliations: [lab, Institute of Fans]
    equal_contributor: true
  - Grace
affiliations:
  - {id: lab, name: The Lab, url: https://lab.example}
  - Institute of Fans
bibliography: own.bib
tags: [ranks, 42]
draft: yes
license: CC-BY 4.0
doi: https://doi.org/10.23915/distill.00010
citation: {key: ada2025ranks, container-title: Fanlight}
thumbnail: cover.png
toc: false
slug: logit-ranks
math: {macros: {\R: '\mathbb{R}'}}
comments: {repo: a/b}
runs:
  eu: {model: smollm2, prompt: "a $x$ * @b\n1.", generate: 30}
figures:
  detail: true
""".strip(),
    )
    assert told(article) == []
    meta = article.meta
    lab = Affiliation("The Lab", "lab", "https://lab.example")
    fans = Affiliation("Institute of Fans")
    assert (meta.title, meta.subtitle, meta.slug) == ("Ranks: what a model weighs", "1984", "logit-ranks")
    assert (meta.date, meta.updated) == (datetime.date(2025, 3, 31), datetime.date(2025, 4, 1))
    assert meta.authors == (
        Author("Ada", "https://ada.example", "0000-0002-1825-0097", "ada@example.org", (lab, fans), True),
        Author("Grace"),
    )
    assert meta.affiliations == (lab, fans)
    assert [path.name for path in meta.bibliography] == ["own.bib"]
    assert meta.tags == ("ranks", "42")
    assert meta.draft
    assert not meta.toc
    assert meta.doi == "10.23915/distill.00010"
    assert (meta.citation, meta.citation_key, meta.container_title) == (True, "ada2025ranks", "Fanlight")
    assert meta.thumbnail is not None
    assert meta.macros == {r"\R": r"\mathbb{R}"}
    assert meta.comments == {"repo": "a/b"}
    assert meta.runs["eu"]["prompt"] == Option("a $x$ * @b\n1.", 30)
    assert meta.runs["eu"]["generate"] == Option("30", 30)
    assert meta.figures == {"detail": Option("true", 32)}
    assert (article.body, article.body_line) == ("Text.\n", 34)


def test_a_folder_names_an_article_that_does_not_name_itself(site: Site) -> None:
    """The slug is the folder's name unless front matter has another."""
    assert read(site, "title: x").slug == "ranks"


@pytest.mark.parametrize(
    ("front", "problem"),
    [
        ("titel: x\ntitle: y", "2:1: unknown front matter: titel (did you mean title?)"),
        ("title: x\ntitle: y", "3:1: duplicate key: title (first in line 2)"),
        ("subtitle: x", "1: missing title: write `title: …` in the front matter"),
        ("title: [a", "2:10: invalid YAML: expected ',' or ']', but got '<stream end>' (is a ] missing?)"),
        (
            "title: a: b",
            "2:9: invalid YAML: mapping values are not allowed here (a text with a colon in it wants quotes)",
        ),
        ("title\ntags: a", "2:1: invalid YAML: write lines of `key: value`"),
        ("- title", "2:1: invalid YAML: write lines of `key: value`"),
        ("title: [x]", "2:1: invalid title: it must be a text"),
        ("title: x\ndate: 2025-13-40", "3:1: invalid date: 2025-13-40 is not a day (write it as 2025-03-31)"),
        ("title: x\ndraft: maybe", "3:1: invalid draft: write true or false"),
        (
            "title: x\nslug: a/../b",
            "3:1: invalid slug: a/../b (it is a-z, 0-9, - and _; say another with `slug: …`, such as a-b)",
        ),
        (
            "title: x\nslug: größe",
            "3:1: invalid slug: größe (it is a-z, 0-9, - and _; say another with `slug: …`, such as grosse)",
        ),
        ("title: x\nslug: 東京", "3:1: invalid slug: 東京 (it is a-z, 0-9, - and _; say another with `slug: …`)"),
        ("title: x\ndoi: 12", "3:1: invalid doi: 12 (a DOI looks like 10.23915/distill.00010)"),
        ("title: x\nbibliography: no.bib", "3:1: missing bibliography: no.bib"),
        ("title: x\nbibliography: [../../../x.bib]", "3:16: invalid bibliography: ../../../x.bib leaves the site"),
        (
            "title: x\nthumbnail: /etc/passwd.png",
            "3:1: invalid picture: /etc/passwd.png (write a path relative to the article)",
        ),
        (
            "title: x\nthumbnail: a.tiff",
            "3:1: unsupported picture: a.tiff (known: .avif, .gif, .jpeg, .jpg, .png, .svg, .webp)",
        ),
        ("title: x\nauthors: [{nmae: y}]", "3:11: missing name: an author is a text, or has a `name`"),
        ("title: x\nauthors: [{name: y, mail: z}]", "3:21: unknown key of an author: mail (did you mean email?)"),
        (
            "title: x\naffiliations: [lab]\nauthors: [{name: y, affiliations: lob}]",
            "4:21: unknown affiliation: lob (did you mean lab?)",
        ),
        ("title: x\nauthor: a\nauthors: b", "3:1: duplicate key: author is another name of authors"),
        ("title: x\nruns: {eu: {promt: y}}", "3:13: unknown parameter of a run: promt (did you mean prompt?)"),
        ("title: x\nruns: {eu: {prompt: y, prompt: z}}", "3:24: duplicate key: prompt (first in line 3)"),
        ("title: x\nruns: eu", "3:1: invalid runs: write lines of `name: value` below it"),
        ("title: x\nmath: {macro: {}}", "3:8: unknown front matter: math.macro (did you mean macros?)"),
        (
            "title: x\nmath: {'\\R': y}",
            "3:8: unknown front matter: math.\\R (did you mean math.macros, and this below it?)",
        ),
        ("title: x\nkeywords: y", "3:1: unknown front matter: keywords (did you mean tags?)"),
        ("title: x\nformat: html", "3:1: unknown front matter: format (leave it out)"),
        (
            "title: x\nauthor: Ada Lovelace and Grace Hopper",
            "3:1: invalid name: Ada Lovelace and Grace Hopper (write a list, [one, another]; or {name: {literal: …}})",
        ),
        (
            "title: x\nauthors:\n- Ada Lovelace: https://ada.example",
            "4:3: missing name: an author is a text, or has a `name` (did you mean `name: Ada Lovelace`?)",
        ),
        ("title: x\ncitation: {kee: y}", "3:12: unknown front matter: citation.kee (did you mean key?)"),
    ],
)
def test_what_is_wrong_in_front_matter_has_its_place(site: Site, front: str, problem: str) -> None:
    """One wrong thing, one problem, with line, column and the nearest right value."""
    assert told(read(site, front)) == [problem]


@pytest.mark.parametrize(
    ("front", "problem"),
    [
        (r'title: "x\b"', "2:1: invalid title: a control character is in it, U+0008"),
        ('title: x\nsubtitle: "\\N"', "3:1: invalid subtitle: a control character is in it, U+0085"),
        ('title: x\ntags: [a, "b\\e"]', "3:11: invalid tags: a control character is in it, U+001B"),
        ('title: x\nauthors: ["Ada\\0"]', "3:11: invalid name: a control character is in it, U+0000"),
        ('title: x\nauthors: [{name: "A\\x9b"}]', "3:12: invalid name: a control character is in it, U+009B"),
        (
            'title: x\nauthors: [{name: A, affiliations: "\\x7fL"}]',
            "3:21: invalid name: a control character is in it, U+007F",
        ),
        ('title: x\naffiliations: ["L\\uffff"]', "3:16: invalid name: a control character is in it, U+FFFF"),
        ('title: x\nmath: {macros: {a: "\\a"}}', "3:17: invalid a: a control character is in it, U+0007"),
    ],
)
def test_no_text_has_control_characters(site: Site, front: str, problem: str) -> None:
    """YAML writes them with a backslash; feeds and drawings cannot have them, and are not what is told to be wrong."""
    article = read(site, front)
    assert told(article) == [problem]
    shown = f"{article.meta}".encode("unicode_escape").replace(b"\\\\", b"")
    assert not any(sign in shown for sign in (b"x08", b"x85", b"x1b", b"x00", b"x9b", b"x7f", b"uffff", b"x07"))


def test_tabs_and_ends_of_lines_are_no_control_characters(site: Site) -> None:
    """A text may have them."""
    assert not told(read(site, 'title: "x\\ty"\ndescription: "a\\nb\\r\\n"'))


def test_tags_may_stand_in_one_text(site: Site) -> None:
    """With commas between, as in other programs; in a list a comma is part of a tag."""
    assert read(site, "title: x\ntags: logit lens, C++,").meta.tags == ("logit lens", "C++")
    assert read(site, "title: x\ntags: ['a, b', c]").meta.tags == ("a, b", "c")


def test_several_mistakes_are_told_together(site: Site) -> None:
    """An author mends all of them in one go."""
    assert len(read(site, "titel: x\ndate: y\ntags: {a: b}").problems) == 4


def test_a_link_out_of_the_site_is_followed_and_refused(site: Site, tmp_path: Path) -> None:
    """A symbolic link does not smuggle a file in."""
    outside = tmp_path.parent / f"{tmp_path.name}.bib"
    outside.write_text("")
    (site.content / "ranks" / "in.bib").symlink_to(outside)
    assert told(read(site, "title: x\nbibliography: in.bib")) == ["3:1: invalid bibliography: in.bib leaves the site"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8"), max_size=80) | st.text("[]{}:,&*!|>'\"%@`- \n\tab<0", max_size=60))
def test_no_front_matter_raises(site: Site, front: str) -> None:
    """Whatever stands there becomes problems."""
    read(site, front)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("url: 'javascript:alert(1)'", "invalid url: javascript:alert(1) (it begins with https://)"),
        ("url: ada.example.org", "invalid url: ada.example.org (it begins with https://)"),
        ("orcid: '12'", "invalid orcid: 12 (one looks like 0000-0002-1825-0097)"),
        (
            "affiliations: [{name: Lab, url: 'data:text/html,x'}]",
            "invalid url: data:text/html,x (it begins with https://)",
        ),
    ],
)
def test_addresses_of_people_are_ones_that_a_page_may_lead_to(site: Site, written: str, message: str) -> None:
    """They become links as they stand: a script must not get there."""
    article = read(site, f"title: x\nauthors: [{{name: Ada, {written}}}]")
    assert [problem.message for problem in article.problems] == [message]
    (author,) = article.meta.authors
    assert author.url is None
    assert author.orcid is None

"""HTML of a stranger in a real browser: nothing runs, nothing is asked for, and the page around it stays whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from served import BASE, serve_site
from visits import Visit, visit

from builder.build import Builder
from builder.site import Site

RUN = "window.ran.push(1)"
AWAY = "https://evil.example/x"

VECTORS = [
    f"<script>{RUN}</script>",
    f"<script src={AWAY}></script>",
    f"<SCRIPT/x>{RUN}</SCRIPT>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<img src=x onerror={RUN}>",
    f'<img src="{AWAY}" srcset="{AWAY} 2x">',
    f'<img src="x` `<script>{RUN}</script>"` `>',
    f'<img """><script>{RUN}</script>">',
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f'<svg><use href="data:image/svg+xml,<svg id=x onload={RUN}>#x"/></svg>',
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f'<svg><a xlink:href="javascript:{RUN}"><text y=20>x</text></a></svg>',
    f"<svg><style><img src=x onerror={RUN}></style></svg>",
    f'<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror={RUN}&gt;">',
    f"<math><mi//xlink:href='data:x,<script>{RUN}</script>'>",
    f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={RUN}>",
    f'<noscript><p title="</noscript><img src=x onerror={RUN}>">',
    f'<template><p title="</template><img src=x onerror={RUN}>">',
    f"<textarea><p title='</textarea><img src=x onerror={RUN}>'>",
    f"<title><p title='</title><img src=x onerror={RUN}>'>",
    f"<xmp><p title='</xmp><img src=x onerror={RUN}>'>",
    f"<noembed><p title='</noembed><img src=x onerror={RUN}>'>",
    f"<select><style></select><img src=x onerror={RUN}></style>",
    f"<table><td><p title='</td></table><img src=x onerror={RUN}>'>",
    f"<![CDATA[ <img src=x onerror={RUN}> ]]>",
    f"<?x <img src=x onerror={RUN}> ?>",
    f"<!x <img src=x onerror={RUN}>",
    f"<!--> <img src=x onerror={RUN}> -->",
    f"<!-- --!> <img src=x onerror={RUN}> -->",
    f"<!-- a\n\n<img src=x onerror={RUN}>",
    f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>',
    f"<iframe src={AWAY}></iframe>",
    f'<iframe src="javascript:parent.{RUN}"></iframe>',
    f'<object data="data:text/html,<script>{RUN}</script>"></object>',
    f"<embed src={AWAY}>",
    f"<video poster={AWAY}><source src={AWAY} onerror={RUN}></video>",
    f"<audio src=x onerror={RUN} autoplay>",
    f"<style>@import '{AWAY}'; body {{ display: none }}</style>",
    f'<div style="background: url({AWAY}); position: fixed; inset: 0">x</div>',
    f'<link rel="stylesheet" href="{AWAY}">',
    f'<link rel="prefetch" href="{AWAY}">',
    f'<meta http-equiv="refresh" content="0; url={AWAY}">',
    f'<base href="{AWAY}/">',
    f'<body onload={RUN} background="{AWAY}">',
    f"<body onpageshow={RUN}>",
    f'<form action="{AWAY}"><button autofocus onfocus={RUN}>x</button><input type=image src={AWAY}></form>',
    f"<input autofocus onfocus={RUN}>",
    f"<details open ontoggle={RUN}><summary tabindex=1 onfocus={RUN} id=x>x</summary></details>",
    f"<p onpointerover={RUN} onclick={RUN} onfocus={RUN} tabindex=0 style='position:fixed;inset:0'>x</p>",
    f"<b/onmouseover={RUN}//>x</b>",
    f"<b\nonclick\n=\n'{RUN}'>x</b>",
    f"<b\x0conclick={RUN}>x</b>",
    f"<kbd title='a' onclick={RUN} title=\"'onclick={RUN}\">x</kbd>",
    f'<a href="javascript:{RUN}">x</a>',
    f'<a href="JaVa&#115;cript&colon;{RUN}">x</a>',
    f'<a href=" &#1; javascript:{RUN}">x</a>',
    f'<a href="java\tscript:{RUN}">x</a>',
    f'<a href="java&NewLine;script:{RUN}">x</a>',
    f'<a href="data:text/html,<script>{RUN}</script>">x</a>',
    f'<a href="vbscript:{RUN}">x</a>',
    f'<a href="//evil.example" ping="{AWAY}">x</a>',
    f'<p>\n<a href="&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74:{RUN}">x</a>\n</p>',
    f'<p>\n<a href="javascript://%0a{RUN}">x</a>\n</p>',
    f"<blockquote cite='javascript:{RUN}'>x</blockquote>",
    "<div id=main class=card popover data-card=x data-view=x data-src=x>x</div>",
    "<a name=getElementById id=cookie>x</a>",
    "<form name=body><input name=attributes></form>",
    f"<figure class=figure data-kind=x data-view='{AWAY}.js' data-src=x><figcaption>x</figcaption></figure>",
    "</div></article></main></body></html>",
    "<div><div><section><table><tr><td>",
    "</p></p><p></div>",
    "<a href='https://x.example'><a href='https://y.example'><b><table><a>x",
    "<plaintext>",
    "<listing>",
    "<frameset onload=x>",
    "<b>" * 300,
    "<div>\n" * 300,
    f"*a <b* title='*b*'> onclick={RUN}>",
    f"[<b]: onclick={RUN}> `<b` onclick={RUN}>",
    f"<b title='[x](y \"'>\" onclick={RUN})",
    f"| <b | onclick={RUN}> |\n|---|---|\n| <table> | </td></table><script>{RUN}</script> |",
    f"^[<b onclick={RUN}>x] [<s>x]{{.y}} ## <b {{#z onclick={RUN}}}",
    f":::{{note}} <b onclick={RUN}><script>{RUN}</script>\n<div>\n:::\n</div>",
    f'::::{{tab-set}}\n:::{{tab-item}} <img src=x onerror={RUN}>\n:sync: "><script>{RUN}</script>\nx\n:::\n::::',
    f'```html {{title="<script>{RUN}</script>" #"><img}}\n<script>{RUN}</script>\n```',
    '<hr title="slot0"><div>\n\nx\n\n<hr title="slot0"></div>\n\n<hr title=\'slot-1\'>',
    f'<div title="\n\n*x*\n\n"><img src=x onerror={RUN}>\n</div>',
    f"<div>\n\n`</div><img src=x onerror={RUN}>`\n\n</div>",
    f'<details title=" id="><summary>x</summary></details> "y" open ontoggle={RUN} <b>z</b>',
    f"<b title=' id='>x</b> \"y\" onpointerover={RUN} <b>z</b>",
]


def in_the_text(number: int, vector: str) -> list[str]:
    """Return a vector in a block and in a line."""
    return [vector, *([] if vector.startswith((":::", "```", "|")) else [f"In a line {vector} and after."])]


def in_a_note(number: int, vector: str) -> list[str]:
    """Return the same in a footnote: notes are shown twice, at the end and on a card."""
    parts = "\n\n".join(in_the_text(number, vector)).replace("\n", "\n    ")
    return [f"Called.[^{number}]", f"[^{number}]: Note.\n\n    {parts}\n\n    Noted {number}."]


@pytest.fixture(scope="module", params=[in_the_text, in_a_note])
def read(
    request: pytest.FixtureRequest, chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visit]:
    """A page with each vector, between words that tell where it is."""
    root = tmp_path_factory.mktemp("hostile")
    parts = []
    for number, vector in enumerate(VECTORS):
        parts += [f"## Part {number}", *request.param(number, vector), f"After {number}."]
    folder = root / "content" / "hostile"
    folder.mkdir(parents=True)
    body = "\n\n".join(parts)
    (folder / "article.md").write_text(
        f"---\ntitle: Hostile\n---\n{body}\n\n## The end\n\nLast words.\n", encoding="utf-8"
    )
    Builder(Site(root, root / "_site", strict=False, search=False)).build()
    server = serve_site(root / "_site")
    host = f"http://127.0.0.1:{server.server_port}"
    opened = visit(chromium, host, f"{BASE}hostile/")
    opened.page.add_init_script("window.ran = []")
    opened.page.reload()
    opened.page.wait_for_load_state("networkidle")
    yield opened
    opened.context.close()
    server.shutdown()


PROVOKE = """() => {
  const leading = "a[href^='http'], a[href^='mailto:'], a[href^='..'], summary";
  for (const card of document.querySelectorAll(".cards > .card")) card.showPopover();
  for (const element of document.querySelectorAll(".article-body *, .footnotes *, .cards *")) {
    for (const type of ["pointerover", "mouseover", "focus", "toggle", "click", "beforematch"]) {
      if (type === "click" && element.closest(leading)) continue;
      element.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true }));
    }
  }
}"""
"""Point at, focus, open and click all that an article's HTML may be."""

BODIES = ":is(.article-body, .footnotes, .cards)"
"""Where an author's words are shown."""

ATTRIBUTES = rf"""() => [...document.querySelectorAll("{BODIES} :not([data-card])")].flatMap((element) =>
  [...element.attributes].filter(({{ name, value }}) => /^(on.*|srcdoc|ping|style)$/.test(name)
    || /^\s*(javascript|data|vbscript):/i.test(value)).map(({{ name, value }}) => [name, value]))"""

ELEMENTS = "script, iframe, object, embed, style, link, meta, base, form, input, svg, math, video, audio"


def test_nothing_runs_and_nothing_is_asked_for(read: Visit) -> None:
    """Neither when the page comes nor when everything in it is provoked; its address stays what it is."""
    read.page.evaluate(PROVOKE)
    read.page.wait_for_load_state("networkidle")
    assert read.page.evaluate("window.ran") == []
    assert not read.complaints
    assert read.page.url.startswith(read.host + BASE)


def test_the_page_around_it_stays_whole(read: Visit) -> None:
    """Every part stands where it did: nothing was closed that was not the author's, and nothing was swallowed."""
    page = read.page
    assert page.locator("main > article > .article-body").count() == 1
    assert page.locator("body > header, body > main, body > footer").count() == 3
    titles = page.locator(".article-body h2[id^=part-]")
    assert titles.count() == len(VECTORS)
    # a stray </div> may end a <div> of some vectors before
    within = page.locator(".article-body :is(table, a, b, s, kbd, p, pre, figure, details, ul, .box, .tabs) > h2")
    assert within.count() == 0
    assert page.get_by_text("Last words.").count() == 1
    for number in range(len(VECTORS)):
        assert page.get_by_text(f"After {number}.", exact=True).count() == 1, VECTORS[number]
    n_called = page.get_by_text("Called.").count()
    for shown in (".footnotes > .footnote-list > .footnote", "main > .cards > .footnote-card"):
        assert page.locator(f"{shown} > p").get_by_text(re.compile(r"^Noted \d+\.$")).count() == n_called


def test_no_element_and_no_attribute_gets_in_that_is_not_harmless(read: Visit) -> None:
    """Whatever a browser makes of the page: no frames, forms, styles, handlers, foreign addresses, ids of ours."""
    page = read.page
    assert (
        page.locator(f"{BODIES} :is({ELEMENTS}):not(.contents *)").evaluate_all("(all) => all.map((e) => e.outerHTML)")
        == []
    )
    assert page.evaluate(ATTRIBUTES) == []
    assert page.locator("[id=main]").count() == 1
    assert page.locator("[data-view], [popover]:not(.cards *)").count() == 0

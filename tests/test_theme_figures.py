"""The theme's templates of figures, computed ones and pictures: what scripts find, and what readers are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from markupsafe import Markup
from themed import RESULT, THEME, Page, site_page

from builder.figure import FigureSpec, Result
from builder.pictures import Picture, Source


def panel(result: Result = RESULT, number: str = "", **given: Any) -> dict[str, Any]:
    """Return a panel of a computed figure as the page hands it to its templates."""
    shown = {"title": "", "result": result, "data": result.data, "body": Markup("<p>1 2 3</p>")}
    return {**shown, "data_url": f"../data/f{number}.json", **given}


def figure(**given: Any) -> Page:
    """Render a computed figure."""
    spec = FigureSpec(1, "fig-eu", THEME, 1, layout="page")
    context: dict[str, Any] = {
        "figure": spec,
        "panels": [panel()],
        "extent": "{}",
        "caption": Markup("A <em>caption</em>."),
        "kind": "saliency",
        "alt": "What it shows & more",
        "method": Markup("<p>A method.</p>"),
        "view_url": "../assets/d/figures/saliency/view.js",
    }
    return Page(site_page().part("figure", **{**context, **given}))


def picture(found: Picture, **options: Any) -> Page:
    """Return a picture as it is rendered."""
    own = dict.fromkeys(("id", "classes", "lang", "title", "width", "height"))
    given = {"alt": '"', "layout": "body", "enlarge": False, **own, **options}
    return Page(site_page().part("picture", picture=found, **given))


def test_a_computed_figure_follows_the_contract_with_its_scripts() -> None:
    """mount.js finds the data and the view, the body to draw over, and the description for who cannot see it."""
    page = figure()
    element = page.all("figure")[0]
    assert (element["id"], element["class"], element["data-kind"]) == ("fig-eu", "figure l-page", "saliency")
    assert (element["data-src"], element["data-view"]) == ("../data/f.json", "../assets/d/figures/saliency/view.js")
    assert element["aria-describedby"] in page.ids
    assert [a for a in page.all("div") if a.get("class") == "figure-body"]
    assert page.all("a")[0] == {"class": "figure-number", "href": "#fig-eu"}
    assert {"href": "../data/f.json", "download": "fig-eu.json"} in page.all("a")


def test_a_figure_tells_its_method_and_where_it_comes_from() -> None:
    """Prompt, model, decoding, parameters that are set, checks with their bounds."""
    text = figure().text
    for said in ("A method.", "1 < 2 &\n3", "org/model", "6 tokens, sampled", "0.7", "rows sum to 1", "2e-05 ≤ 0.0001"):
        assert said in text
    assert "contrast" not in text


def test_a_figure_tells_of_few_digits_and_of_what_it_was_computed_on() -> None:
    """Readers learn that numbers are rough, and that a card rounded them; of float32 on a processor nothing is said."""
    places = {"cuda:0": 40, "cpu": 3, "disk": 2}
    card = {"dtype": "bfloat16", "device": "cuda", "processor": "NVIDIA H100", "placement": places}
    text = figure(panels=[panel(replace(RESULT, provenance={**RESULT.provenance, **card}))]).text
    for said in ("two to three digits", "NVIDIA H100", "40 on cuda:0, 3 in the processor’s memory, 2 on the disk"):
        assert said in text
    plain = figure(panels=[panel(replace(RESULT, provenance={**RESULT.provenance, "device": "cpu"}))]).text
    assert "computed on" not in plain
    assert "layers" not in plain


def test_a_figure_says_what_its_result_warns_of() -> None:
    """An integral that has not converged is told to the reader, not only to who opens the JSON."""
    warned = replace(RESULT, data={**RESULT.data, "warning": "It has <not> converged."})
    assert "It has <not> converged." in figure(panels=[panel(warned)]).text
    assert "converged" not in figure().text


def test_a_gallery_has_a_titled_panel_for_each_answer() -> None:
    """Each panel has its own data and its own id; the scales that all share stand at the figure."""
    panels = [panel(number=name, title=f"model <{name}>") for name in "ab"]
    page = figure(panels=panels, extent='{"share": 0.5}')
    element = page.all("figure")[0]
    assert (element["data-extent"], element.get("data-src")) == ('{"share": 0.5}', None)
    sections = page.all("section")
    assert [section["data-src"] for section in sections] == ["../data/fa.json", "../data/fb.json"]
    assert all(section["aria-labelledby"] in page.ids for section in sections)
    assert "model <b>" in page.text
    assert {"href": "../data/fb.json", "download": "fig-eu-2.json"} in page.all("a")


def test_a_figure_without_answer_says_so() -> None:
    """`--no-strict` publishes an article whose figure is missing: the reader is told, and nothing is fetched."""
    page = figure(panels=[], body=Markup(), method=Markup())
    assert "not been computed" in page.text
    assert "data-src" not in page.all("figure")[0]


def test_a_picture_has_its_size_where_it_is_known() -> None:
    """Width and height keep the page from jumping; an SVG scales by itself."""
    image = picture(Picture("ranks/a b.png", 4, 3)).all("img")[0]
    assert image.items() >= {"width": "4", "height": "3", "alt": '"', "src": "a%20b.png", "loading": "lazy"}.items()
    assert "width" not in picture(Picture("ranks/a.svg")).all("img")[0]
    asked = picture(Picture("ranks/a.png", 4, 3), width="2", classes=["x", "y"], id="z").all("img")[0]
    assert asked.items() >= {"width": "2", "class": "x y", "id": "z"}.items()
    assert "height" not in asked


def test_browsers_choose_the_file_of_a_picture() -> None:
    """By format, in the order of the sources, and by the width that the layout gives it."""
    sources = (Source("image/avif", (("ranks/a-704.avif", 704), ("ranks/a.avif", 1500))),)
    page = picture(Picture("ranks/a.png", 1500, 900, sources))
    (source,) = page.all("source")
    assert source["srcset"] == "a-704.avif 704w, a.avif 1500w"
    assert source["sizes"] == "(min-width: 44rem) 44rem, 100vw"
    assert picture(Picture("ranks/a.png", 300, 90, sources)).all("source")[0]["sizes"] == "300px"
    assert picture(Picture("ranks/a.png", 1500, 900, sources), layout="screen").all("source")[0]["sizes"] == "100vw"


def test_a_picture_for_the_night_has_the_same_alt_text_and_no_second_id() -> None:
    """Two files, of which one is shown; each leads to itself where pictures can be enlarged."""
    both = Picture("ranks/a.png", 4, 3, dark=Picture("ranks/b.png", 4, 3))
    page = picture(both, id="x", alt="A dot.")
    assert [(image["class"], image["alt"]) for image in page.all("img")] == [
        ("only-light", "A dot."),
        ("only-dark", "A dot."),
    ]
    assert [image.get("id") for image in page.all("img")] == ["x", None]
    links = picture(both, enlarge=True).all("a")
    assert [(link["href"], link["class"]) for link in links] == [
        ("a.png", "enlarge only-light"),
        ("b.png", "enlarge only-dark"),
    ]

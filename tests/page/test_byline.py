"""The byline's form, and what a colophon says of several models."""

from __future__ import annotations

from typing import Any

import pytest

from builder.article import Affiliation, Author
from builder.figure import Result
from builder.page.byline import make_byline
from builder.page.colophon import read_colophon

LAB, NAVY = Affiliation("The Lab"), Affiliation("Navy")


def author(name: str, *places: Affiliation, **given: Any) -> Author:
    """Return an author."""
    return Author(name, affiliations=places, **given)


@pytest.mark.parametrize(
    ("authors", "layout", "numbers"),
    [
        ([author("A"), author("B")], "none", [(), ()]),
        ([author("A", LAB)], "beside", [()]),
        ([author("A", LAB), author("B", NAVY), author("C")], "beside", [(), (), ()]),
        ([author("A", LAB), author("B", LAB)], "all", [(), ()]),
        ([author("A", NAVY), author("B", LAB, NAVY), author("C")], "numbered", [(1,), (1, 2), ()]),
        ([author(str(n), *([LAB] if n else [])) for n in range(8)], "numbered", [(), *[(1,)] * 7]),
    ],
)
def test_affiliations_stand_where_they_are_seen_at_a_glance(
    authors: list[Author], layout: str, numbers: list[tuple[int, ...]]
) -> None:
    """Beside their authors, once for all, or with numbers where some share them."""
    byline = make_byline(authors)
    assert (byline.layout, [person.numbers for person in byline.people]) == (layout, numbers)
    assert byline.is_long == (len(authors) > 6)


def test_equal_contributions_and_letters() -> None:
    """All is said once; somebody alone is not equal to all."""
    equal, other = author("A", equal_contributor=True), author("B", email="b@x.org")
    assert [make_byline(them).equal for them in ([equal, equal], [equal, other], [other])] == ["all", "some", "none"]
    assert make_byline([equal, other]).corresponding == (other,)


def result(**given: Any) -> Result:
    """Return an answer of a model."""
    origin = {"model": "m", "revision": "r", "license": "MIT", "class": "C", "dtype": "float32", "date": "2026-11-02"}
    return Result("f" * 64, "tokens", {}, {}, {**origin, "versions": {"torch": "2.13.0"}, **given})


def test_a_colophon_names_each_model_once() -> None:
    """What is alike for all models is said once; days of a model's answers are the first and the last."""
    first, second = result(), result(date="2026-11-05")
    colophon = read_colophon([first, second, first])
    (model,) = colophon.models
    assert (model.name, model.revision, model.licence, model.numbers) == ("m", "r", "MIT", "float32")
    assert colophon.dates == ("2026-11-02", "2026-11-05")
    assert colophon.versions == (("torch", "2.13.0"),)
    assert read_colophon([]).models == ()


def test_models_that_differ_say_so_each() -> None:
    """Another revision, or another numeric type, is another model."""
    colophon = read_colophon([result(), result(revision="s", dtype="bfloat16", versions={"torch": "2.12.0"})])
    assert [(model.revision, model.numbers) for model in colophon.models] == [("r", "float32"), ("s", "bfloat16")]
    assert (colophon.dates, colophon.versions) == (("2026-11-02",), ())


def test_a_colophon_names_the_cards_that_answers_were_computed_on() -> None:
    """Their rounding is not a processor's; of answers that were computed on both that is said."""
    (model,) = read_colophon([result(processor="NVIDIA H100"), result(processor="NVIDIA A100")]).models
    assert (model.processors, model.partly) == (("NVIDIA A100", "NVIDIA H100"), False)
    (model,) = read_colophon([result(processor="NVIDIA H100"), result()]).models
    assert (model.processors, model.partly) == (("NVIDIA H100",), True)
    (model,) = read_colophon([result()]).models
    assert (model.processors, model.partly) == ((), False)


def test_what_an_answer_does_not_say_is_left_out() -> None:
    """Answers of older versions have less to say; a revision that the name holds is not said twice."""
    (model,) = read_colophon([Result("f" * 64, "tokens", {}, {}, {"model": "pypi:x==1", "revision": "x==1"})]).models
    assert (model.revision, model.licence, model.dates, model.versions) == ("", "", (), ())

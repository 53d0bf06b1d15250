"""Drawings: their size is known, and nothing in them runs where they are opened by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import BuildError
from builder.pictures import read_linked, read_picture

SVG = '<svg xmlns="http://www.w3.org/2000/svg"'
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'
XSLT = 'xmlns:xsl="http://www.w3.org/1999/XSL/Transform"'
FOREIGN = f"{SVG}><foreignObject>"
HIDDEN = "<!ENTITY s '<script>alert(1)</script>'>]>"
HELD = "unsupported picture: it holds a script"
HIDES = "unsupported picture: it has a parameter entity (%p;)"


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('width="480" height="400" viewBox="0 0 10 10"', (480, 400)),
        ('viewBox="0 0 240.4 100"', (240, 100)),
        ("width='12px' height='8px'", (12, 8)),
        ('width="460.8pt" height="345.6pt"', (614, 461)),
        ('width="2in" height="25.4mm"', (192, 96)),
        ('width="100%" height="100%" viewBox="0,0,30,20"', (30, 20)),
        ('stroke-width="4" viewBox="0 0 3 2"', (3, 2)),
        ('width="1.2.3" height="4"', (None, None)),
        ('width="0" height="4"', (None, None)),
        ('viewBox="0 0"', (None, None)),
        ("", (None, None)),
    ],
)
def test_a_drawing_has_the_size_it_names(attributes: str, size: tuple[int | None, int | None], tmp_path: Path) -> None:
    """Its width and height in pixels, else its viewBox; what names neither has none."""
    file = tmp_path / "drawing.svg"
    file.write_text(f"{SVG} {attributes}/>")
    picture, files = read_picture("a", file, tmp_path)
    assert (picture.width, picture.height) == size
    assert not picture.sources
    assert files == {picture.path: file}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (f"{SVG}>\n<script>alert(1)</script></svg>", f"2: {HELD} (<script>)"),
        (f"{SVG}>\n<x:script xmlns:x='http://www.w3.org/2000/svg'/></svg>", f"{HELD} (<script>)"),
        (f'{SVG} onload="alert(1)"/>', f"1: {HELD} (onload)"),
        (f'{SVG}><a href="java&#10;script:alert(1)"/></svg>', f"{HELD} (href)"),
        (f'{SVG}><set attributeName="href" to="JavaScript:alert(1)"/></svg>', f"{HELD} (to)"),
        (f'{FOREIGN}<iframe src="x"/></foreignObject></svg>', f"{HELD} (<iframe>)"),
        ('<!DOCTYPE svg [<!ENTITY s "<script/>">]>\n' + f"{SVG}>&s;</svg>", f"{HELD} (<script>)"),
        (f'{FOREIGN}<form {XHTML} action="javascript:alert(1)"/></foreignObject></svg>', f"{HELD} (<form>)"),
        (f'{FOREIGN}<button {XHTML} formaction="x"/></foreignObject></svg>', f"{HELD} (<button>)"),
        (f'{FOREIGN}<input {XHTML} type="image"/></foreignObject></svg>', f"{HELD} (<input>)"),
        (f"{SVG}><foreignObject><frameset {XHTML}/></foreignObject></svg>", f"{HELD} (<frameset>)"),
        (f'{SVG}><x action=" jAvA&#9;Script&#x3a;alert(1)"/></svg>', f"{HELD} (action)"),
        (f'{SVG}><animate values="#a;javascript:alert(1)"/></svg>', f"{HELD} (values)"),
        (f'{SVG} {XSLT}><xsl:element name="script"/></svg>', f"{HELD} (XSLT)"),
        (f'<!DOCTYPE svg [<!ATTLIST svg onload CDATA "alert(1)">]>{SVG}/>', f"{HELD} (onload)"),
        (f'<?xml-stylesheet type="text/xsl" href="#s"?>{SVG}/>', "1: unsupported picture: it names a style sheet"),
        (f'<!DOCTYPE svg [<!ENTITY % p "">%p;{HIDDEN}{SVG}>&s;</svg>', HIDES),
        (f"<!DOCTYPE svg SYSTEM 'x' [%p;{HIDDEN}{SVG}>&s;</svg>", HIDES),
        ("<html><p>no drawing</p></html>", "1: invalid picture: it begins with <html> and is no SVG"),
        (f"{SVG}>\n<g>", "2: invalid picture: it is no SVG: no element found"),
        ("no drawing", "1: invalid picture: it is no SVG: syntax error"),
        ('<?xml version="1.0" encoding="klingon"?><svg/>', "1: invalid picture: it is no SVG: unknown encoding"),
        ('<?xml version="1.0" encoding="shift_jis"?><svg/>', "1: invalid picture: it is no SVG: multi-byte"),
    ],
)
def test_a_drawing_runs_nothing(body: str, wrong: str, tmp_path: Path) -> None:
    """In an `img` no script runs, but a drawing's file has an address of its own, where it would."""
    file = tmp_path / "drawing.svg"
    file.write_text(body)
    with pytest.raises(BuildError) as caught:
        read_picture("a", file, tmp_path)
    assert wrong in str(caught.value)
    if "unsupported" in wrong:
        assert read_picture("a", file, tmp_path, scripts=True)[0].path.endswith(".svg")


def test_entities_that_grow_without_end_are_refused(tmp_path: Path) -> None:
    """A billion laughs."""
    file = tmp_path / "drawing.svg"
    more = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    file.write_text(f'<!DOCTYPE svg [<!ENTITY a0 "ha">{more}]>{SVG}><text>&a9;</text></svg>')
    with pytest.raises(BuildError, match="invalid picture: it is no SVG"):
        read_picture("a", file, tmp_path)


def test_a_drawing_may_have_entities_of_its_own(tmp_path: Path) -> None:
    """Illustrator names its namespaces so; a document type elsewhere is never asked for."""
    file = tmp_path / "drawing.svg"
    doctype = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd" [<!ENTITY ns "http://x">]>'
    file.write_text(f'{doctype}<?xpacket x?>{SVG} xmlns:i="&ns;" width="3" height="2"><i:x/></svg>')
    assert read_picture("a", file, tmp_path)[0].width == 3


def test_a_size_that_is_no_number_of_a_screen_is_none(tmp_path: Path) -> None:
    """Digits without end are infinite to a computer, which rounds no infinity."""
    file = tmp_path / "drawing.svg"
    file.write_text(f'{SVG} width="{"9" * 5000}" height="{"9" * 5000}"/>')
    assert read_picture("a", file, tmp_path)[0].width is None


def test_a_drawing_that_is_linked_to_runs_nothing_either(tmp_path: Path) -> None:
    """It is told as a picture would be, and left out; other files are not read."""
    files = {name: tmp_path / name for name in ("good.svg", "EVIL.SVG", "data.csv", "gone.svg")}
    for name, body in zip(files, (f"{SVG}/>", f"{SVG}>\n<script/></svg>", "<script>"), strict=False):
        files[name].write_text(body)
    found = read_linked(files)
    assert found.files == {name: files[name] for name in ("good.svg", "data.csv")}
    assert [(problem.path, problem.line) for problem in found.problems] == [
        (files["EVIL.SVG"], 2),
        (files["gone.svg"], None),
    ]
    assert [problem.message.partition(": ")[0] for problem in found.problems] == [
        "unsupported picture",
        "invalid picture",
    ]
    assert read_linked(files, scripts=True).files == files

"""Pictures: their size is known, what loads faster is made once, nothing private or harmful is published."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, features

from builder.local import LocalError, find_picture
from builder.pictures import Picture, read_picture, read_pictures, store
from builder.pictures.drawing import read_drawing
from builder.pictures.errors import PictureError
from builder.pictures.metadata import without_metadata
from builder.pictures.raster import survey

SVG = '<svg xmlns="http://www.w3.org/2000/svg"'


def drawn(width: int = 900, height: int = 600, mode: str = "RGB", size: int = 40) -> Image.Image:
    """Return a drawing of some rectangles, the same each time."""
    chance = random.Random(0)
    image = Image.new(mode, (width, height))
    pen = ImageDraw.Draw(image)
    for _ in range(900):
        x, y = chance.randrange(width), chance.randrange(height)
        pen.rectangle([x, y, x + size, y + size], fill=tuple(chance.randrange(256) for _ in mode))
    return image


def saved(image: Image.Image, file: Path, **options: object) -> Path:
    """Save a picture and return its file."""
    image.save(file, **options)  # type: ignore[arg-type]
    return file


def published(file: Path, tmp_path: Path, **options: object) -> tuple[Picture, dict[str, bytes]]:
    """Return a picture and what is published of it."""
    formats = ("avif", "webp")
    picture, files = read_picture("a", file, tmp_path / "cache", formats, **options)  # type: ignore[arg-type]
    return picture, {path: part if isinstance(part, bytes) else part.read_bytes() for path, part in files.items()}


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow writes no AVIF")
def test_variants_load_faster(tmp_path: Path) -> None:
    """The widths of a text column at one and two pixels a point and the picture's own, in formats that are smaller."""
    file = saved(drawn(size=3).resize((1500, 1000)), tmp_path / "x.jpg", quality=95)
    picture, files = published(file, tmp_path)
    assert [source.type for source in picture.sources] == ["image/avif", "image/webp"]
    for source in picture.sources:
        assert [width for _, width in source.files] == [704, 1500]
        for path, width in source.files:
            with Image.open(BytesIO(files[path])) as image:
                assert image.size == (width, round(width / 1.5))
                assert f"image/{(image.format or '').lower()}" == source.type
            assert len(files[path]) < file.stat().st_size


def test_a_second_build_encodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made is kept by content; it is the same to the byte when it is made again elsewhere."""
    file = saved(drawn(320, 240, size=4), tmp_path / "x.png")
    first = published(file, tmp_path)
    (tmp_path / "cache").rename(tmp_path / "before")
    assert published(file, tmp_path) == first
    monkeypatch.setattr("builder.pictures.raster.survey", None)
    monkeypatch.setattr(store, "_make", None)
    assert published(file, tmp_path) == first


def test_a_cache_that_lost_something_is_filled_again(tmp_path: Path) -> None:
    """A variant that is gone or was cut off, or an entry that is none, costs only the time to make it."""
    file = saved(drawn(320, 240, size=4), tmp_path / "x.png")
    first = published(file, tmp_path)
    variants = sorted((tmp_path / "cache").rglob("*.webp"))
    variants[0].unlink()
    assert published(file, tmp_path) == first
    variants[0].write_bytes(b"")
    assert published(file, tmp_path) == first
    next((tmp_path / "cache").rglob("*.json")).write_text("[]")
    assert published(file, tmp_path) == first


def test_what_gains_nothing_has_no_variants(tmp_path: Path) -> None:
    """A variant larger than its original is dropped; little, moving and drawn pictures have none."""
    loud = Image.frombytes("RGB", (900, 600), random.Random(0).randbytes(900 * 600 * 3))
    poor = saved(loud, tmp_path / "poor.webp", quality=1)
    tiny = saved(drawn(100, 80), tmp_path / "tiny.png")
    frames = [drawn(300, 300), drawn(300, 300, size=70), drawn(300, 300, size=20)]
    moving = [
        saved(frames[0], tmp_path / f"moving.{suffix}", save_all=True, append_images=frames[1:])
        for suffix in ("gif", "webp", "png")
    ]
    assert min(file.stat().st_size for file in (poor, *moving)) > 10_000
    for file in (poor, tiny, *moving):
        picture, files = published(file, tmp_path)
        assert not picture.sources, file
        assert list(files.values()) == [file.read_bytes()]
    assert published(tiny, tmp_path)[0].width == 100


def test_formats_are_the_sites_choice(tmp_path: Path) -> None:
    """`picture_formats = []` publishes pictures as they are."""
    file = saved(drawn(), tmp_path / "x.png")
    picture, files = read_picture("a", file, tmp_path / "cache")
    assert not picture.sources
    assert list(files.values()) == [file]
    picture, _ = read_picture("a", file, tmp_path / "cache", ("webp",))
    assert [source.type for source in picture.sources] == ["image/webp"]


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_a_picture_is_turned_as_its_camera_says(suffix: str, tmp_path: Path) -> None:
    """Its size is that of what is seen, its variants are turned, and the published file still says how it is turned."""
    exif = Image.Exif()
    exif[0x0112] = 6
    file = saved(drawn(1000, 600), tmp_path / f"x.{suffix}", exif=exif)
    picture, files = published(file, tmp_path)
    assert (picture.width, picture.height) == (600, 1000)
    with Image.open(BytesIO(files[picture.path])) as image:
        assert image.size == (1000, 600)
        assert dict(image.getexif()) == {0x0112: 6}
    for source in picture.sources:
        for path, width in source.files:
            if path != picture.path:
                with Image.open(BytesIO(files[path])) as image:
                    assert image.size == (width, round(width / 0.6))
                    assert not image.getexif()


@pytest.mark.parametrize("suffix", ["jpg", "webp", "png", "avif"])
def test_where_a_picture_was_taken_is_not_published(suffix: str, tmp_path: Path) -> None:
    """Exif, XMP, comments and what follows the picture go; not a pixel changes, nor do its colours."""
    exif = Image.Exif()
    exif[0x010F] = "ACME camera"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (48.0, 10.0, 0.0)
    options = {"exif": exif, "xmp": b"<x:xmpmeta>ACME lens</x:xmpmeta>", "comment": b"ACME place"}
    if suffix in ("png", "avif"):
        options.pop("comment")
    file = saved(drawn(400, 300), tmp_path / f"x.{suffix}", icc_profile=b"colours of ours" * 20, **options)
    if suffix == "jpg":
        file.write_bytes(file.read_bytes() + file.read_bytes())  # a film of the moment, say
    assert b"ACME" in file.read_bytes()
    picture, files = published(file, tmp_path)
    content = files[picture.path]
    assert b"ACME" not in content
    with Image.open(BytesIO(content)) as image, Image.open(file) as before:
        assert not image.getexif()
        if suffix != "avif":
            assert image.tobytes() == before.tobytes()
            assert image.info["icc_profile"] == before.info["icc_profile"]
    assert all(b"ACME" not in part for part in files.values())


def test_metadata_of_what_is_cut_off_or_no_picture() -> None:
    """It is returned as it is, and refused by who decodes it."""
    whole = BytesIO()
    drawn(200, 100).save(whole, "JPEG", comment=b"x" * 50, progressive=True)
    for length in range(0, len(whole.getvalue()), 97):
        assert len(without_metadata(whole.getvalue()[:length])) <= length + 2
    assert without_metadata(b"") == b""
    for content in (b"\xff\xd8", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\0"):
        assert without_metadata(content) == content


def sample(kind: str) -> bytes:
    """Return a small picture with all sorts of metadata."""
    exif = Image.Exif()
    exif[0x0112] = 3
    out = BytesIO()
    more = {"progressive": True, "comment": b"x"} if kind == "JPEG" else {}
    drawn(16, 12, size=4).save(out, kind, exif=exif, xmp=b"<x/>", icc_profile=b"p" * 200, **more)
    return out.getvalue()


SAMPLES = [sample(kind) for kind in ("JPEG", "PNG", "WEBP", "AVIF")] + [SVG.encode() + b" width='4'><g id='x'/></svg>"]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_broken_pictures_raise_nothing_else(content: bytes, data: st.DataObject) -> None:
    """Whatever bytes are wrong, missing or too many: a picture, or a message for its author."""
    at = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(at, min(at + 8, len(content))))
    broken = content[:at] + data.draw(st.binary(max_size=8)) + content[end:]
    if data.draw(st.booleans()):
        broken = broken[: data.draw(st.integers(0, len(broken)))]
    without_metadata(broken, 3)
    try:
        if content.startswith(b"<svg"):
            read_drawing(broken)
        else:
            found = survey(broken)
            clean = without_metadata(broken, found.orientation)
            if found.format in ("JPEG", "PNG", "WEBP"):
                assert survey(clean).width == found.width
    except PictureError as error:
        message = str(error)
    else:
        return
    assert message.startswith(("invalid picture: ", "unsupported picture: "))


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_hostile_pictures_are_refused(tmp_path: Path) -> None:
    """All of an article in one run, each by its name, before any memory is asked for."""
    whole = saved(drawn(800, 600), tmp_path / "whole.png").read_bytes()
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    contents = {
        "cut.png": (whole[: len(whole) // 2], "invalid picture: it cannot be read to its end"),
        "bomb.png": (bomb, "invalid picture: 60,000 × 60,000 pixels are more than 80 million"),
        "empty.png": (b"", "invalid picture: it is none"),
        "page.png": (b"<!doctype html><script>alert(1)</script>", "invalid picture: it is none"),
        "text.gif": (b"GIF89a" + b"\0" * 4, "invalid picture"),
    }
    for name, (content, _) in contents.items():
        (tmp_path / name).write_bytes(content)
    found = read_pictures("a", {name: tmp_path / name for name in contents}, {}, tmp_path / "cache", ("webp",))
    assert not found.files
    assert set(found.pictures) == set(contents)
    for problem, (name, (_, wrong)) in zip(found.problems, contents.items(), strict=True):
        assert problem.path == tmp_path / name
        assert problem.message.startswith(wrong)


def test_a_picture_is_published_as_what_it_is(tmp_path: Path) -> None:
    """A JPEG that is named .png is shown by browsers, and served as what it is."""
    file = saved(drawn(300, 200), tmp_path / "x.png", format="JPEG")
    assert published(file, tmp_path)[0].path.endswith(".jpg")


def test_a_page_that_is_named_as_a_picture_is_told_where_it_is_named(tmp_path: Path) -> None:
    """What does not begin as pictures do is none, whatever its name says."""
    (tmp_path / "x.png").write_text("<!doctype html>")
    with pytest.raises(LocalError, match=r"invalid picture: x\.png is none, whatever its name says"):
        find_picture("x.png", tmp_path, tmp_path)


def test_what_shows_through_needs_a_ground(tmp_path: Path) -> None:
    """A picture with transparent pixels, and a drawing that does not know of the dark, unless they have one for it."""
    clear = saved(drawn(60, 60, "RGBA"), tmp_path / "clear.png")
    full = saved(drawn(60, 60).convert("RGBA"), tmp_path / "full.png")
    drawing, aware = tmp_path / "drawing.svg", tmp_path / "aware.svg"
    drawing.write_text(f"{SVG}/>")
    aware.write_text(f"{SVG}><style>@media (prefers-color-scheme: dark){{}}</style></svg>")
    files = {file.name: file for file in (clear, full, drawing, aware)}
    found = read_pictures("a", files, {}, tmp_path / "cache").pictures
    assert [name for name, picture in found.items() if picture.bare] == ["clear.png", "drawing.svg"]
    found = read_pictures("a", files, {"clear.png": full}, tmp_path / "cache").pictures
    assert not found["clear.png"].bare
    assert found["clear.png"].dark == found["full.png"]

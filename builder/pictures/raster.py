"""`survey` and `encode`: what Pillow knows of a picture, and the same in another size and format."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from .errors import PictureError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_PIXELS", "SUFFIXES", "Encoded", "Surveyed", "encode", "survey", "version"]

MAX_PIXELS = 80_000_000
"""A picture with more is refused: a file of some kilobytes can hold more than any memory."""

SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "MPO": ".jpg", "GIF": ".gif", "WEBP": ".webp", "AVIF": ".avif"}

LANCZOS = 1  # Pillow's number for it
WIDTHS = (704, 1408, 2816)
"""The column of the text at one and two pixels a point, and what is wider, at most."""

_FEW = 16_384  # colours: drawings and screenshots have fewer, photographs more
_NOTHING_TO_GAIN = 10_000  # bytes


@dataclass(frozen=True)
class Surveyed:
    """A picture, whole and turned as it is to be seen; `image` is None where no other format would be as good."""

    format: str
    width: int
    height: int
    orientation: int
    transparent: bool
    noted: bool
    """Whether it says more than its pixels: where it was taken, by whom."""
    image: Image | None


@dataclass(frozen=True)
class Encoded:
    """A picture in a format and a width; without `content`, the picture's own file."""

    format: str
    width: int
    content: bytes | None


def version() -> str:
    """Return what encodes: another version may write other bytes."""
    import PIL  # the name alone: the library takes 30 ms

    return f"Pillow {PIL.__version__}"


def survey(content: bytes) -> Surveyed:
    """Decode a picture. Raises `PictureError` for what is none, is cut off, or has too many pixels."""
    from PIL import Image as module  # noqa: N813 - `Image` is the class here
    from PIL import ImageOps, UnidentifiedImageError

    module.MAX_IMAGE_PIXELS = None  # it warns of some and refuses others; we refuse, at one number
    warnings.filterwarnings("ignore", module="PIL")  # of Exif that is odd, say: authors did not write it
    try:
        image: Image = module.open(BytesIO(content), formats=sorted(_known() - {"MPO"}))
        width, height = image.size
        if width * height > MAX_PIXELS:
            most = MAX_PIXELS // 1_000_000
            raise PictureError(f"invalid picture: {width:,} × {height:,} pixels are more than {most} million")
        orientation = _orientation(image)
        noted = bool({"exif", "xmp"} & image.info.keys())
        moves = image.format != "MPO" and getattr(image, "is_animated", False)
        image.load()
    except UnidentifiedImageError as error:
        raise PictureError("invalid picture: it is none, or none that Pillow can read") from error
    except PictureError:
        raise
    except Exception as error:  # decoders raise what they like for files that are cut off or made to hurt
        raise PictureError(f"invalid picture: it cannot be read to its end: {error or type(error).__name__}") from error
    kind = image.format or ""
    if orientation != 1:
        image = ImageOps.exif_transpose(image) or image
    transparent = _is_transparent(image)
    plain = None if moves else _plain(image, transparent)
    return Surveyed(kind, image.width, image.height, orientation, transparent, noted, plain)


def encode(picture: Surveyed, size: int, formats: tuple[str, ...]) -> list[Encoded]:
    """Return the variants that readers load faster than the picture's own file of `size` bytes, best formats first.

    One that is not smaller is dropped, and a format without its largest with all of it: a sharp screen would be given
    a blurred picture.
    """
    if picture.image is None or size < _NOTHING_TO_GAIN:
        return []
    widths = [width for width in WIDTHS if width < picture.width * 0.85]
    if picture.width <= WIDTHS[-1]:
        widths.append(picture.width)
    exact = picture.format in ("PNG", "GIF") and picture.image.getcolors(_FEW) is not None
    images = {width: _scaled(picture.image, width) for width in widths}
    found: list[tuple[int, list[Encoded]]] = []
    for name in formats:
        if name.upper() not in _known():
            continue
        made = []
        for width in widths:
            own = width == picture.width and name.upper() == picture.format
            made.append(Encoded(name, width, None if own else _encode(images[width], name, exact)))
        kept = [one for one in made if one.content is None or len(one.content) < size]
        if kept and kept[-1] is made[-1] and any(one.content for one in kept):
            found.append((sum(len(one.content) if one.content else size for one in kept), kept))
    found.sort(key=lambda one: one[0])
    return [one for _, kept in found for one in kept]


def scale(picture: Surveyed, width: int) -> bytes | None:
    """Return a picture in that width, or its own if it is less wide; None where this Pillow writes no WebP."""
    if picture.image is None or "WEBP" not in _known():
        return None
    return _encode(_scaled(picture.image, min(width, picture.width)), "webp", exact=False)


def recode(picture: Surveyed) -> bytes:
    """Return an AVIF anew, turned as it is to be seen, without its notes: its boxes are too many to take one out."""
    assert picture.image is not None
    return _encode(picture.image, "avif", exact=True)


def _encode(image: Image, name: str, exact: bool) -> bytes:
    out = BytesIO()
    profile = image.info.get("icc_profile") or b""
    if name == "avif":
        # one thread: what several write depends on how many there are
        quality, sampling = (75, "4:4:4") if exact else (63, "4:2:0")
        image.save(out, "AVIF", quality=quality, subsampling=sampling, speed=6, max_threads=1, icc_profile=profile)
    else:
        image.save(out, "WEBP", lossless=exact, quality=80, method=4, icc_profile=profile)
    return out.getvalue()


def _orientation(image: Image) -> int:
    """Return how a picture is to be turned, as its Exif says and browsers do; odd Exif says nothing."""
    if image.format not in ("JPEG", "MPO", "WEBP", "AVIF"):
        return 1
    try:
        turn = image.getexif().get(0x0112, 1)
    except Exception:
        return 1
    return turn if turn in range(2, 9) else 1


def _scaled(image: Image, width: int) -> Image:
    if width == image.width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), LANCZOS, reducing_gap=3.0)


def _is_transparent(image: Image) -> bool:
    if not image.has_transparency_data:
        return False
    return image.convert("RGBA").getchannel("A").histogram()[255] < image.width * image.height


def _plain(image: Image, transparent: bool) -> Image | None:
    """Return a picture as encoders take it, its colour profile with it and nothing else; None for rare kinds."""
    if image.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX"):  # inks, sixteen bits: browsers know better
        return None
    profile = image.info.get("icc_profile")
    plain = image.convert("RGBA" if transparent else "RGB")
    plain.info = {"icc_profile": profile} if profile and image.mode.startswith("RGB") else {}
    return plain


def _known() -> frozenset[str]:
    from PIL import features

    optional = {name.upper() for name in ("avif", "webp") if features.check(name)}
    return frozenset(SUFFIXES) - {"AVIF", "WEBP"} | optional

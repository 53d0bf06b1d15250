"""`find_local`: a path that an author wrote, as a file of the site, or why it cannot be one."""

from __future__ import annotations

from pathlib import Path

from .errors import nearest

__all__ = ["PICTURES", "LocalError", "find_dark", "find_local", "find_picture"]

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg"})
"""What every browser of today shows in an `img`."""

_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")


class LocalError(ValueError):
    """Why a path is no file of the site; its text is the message of a problem."""


def find_local(written: str, folder: Path, root: Path, what: str = "file") -> Path:
    """Return the file or folder that `written` names as seen from `folder`.

    Raises `LocalError` if it is missing, hidden, absolute, or does not lie in `root` once links are followed.
    """
    try:
        if Path(written).is_absolute() or written.startswith(("~", "\\")):
            raise LocalError(f"invalid {what}: {written} (write a path relative to the article)")
        path = (folder / written).resolve()
        root = root.resolve()
        if not path.is_relative_to(root):
            raise LocalError(f"invalid {what}: {written} leaves the site")
        if any(part.startswith(".") for part in path.relative_to(root).parts):
            raise LocalError(f"invalid {what}: {written} is hidden")
        if path.exists():
            return path
    except (OSError, RuntimeError) as error:  # a name too long, a loop of links
        raise LocalError(f"invalid {what}: {written} cannot be read") from error
    except ValueError as error:  # a null byte, a lone surrogate
        raise error if isinstance(error, LocalError) else LocalError(f"invalid {what}: {written!r}") from error
    raise LocalError(f"missing {what}: {written}{_near(written, path)}")


def find_picture(written: str, folder: Path, root: Path) -> Path:
    """Return the picture that `written` names; raises `LocalError` also for what browsers cannot show."""
    if "://" in written or written.startswith("//"):
        raise LocalError(f"unsupported picture: {written} (pages ask no other host; put it beside the article)")
    suffix = Path(written).suffix.lower()
    if suffix not in PICTURES:
        raise LocalError(f"unsupported picture: {written} (known: {', '.join(sorted(PICTURES))})")
    path = find_local(written, folder, root, "picture")
    if not path.is_file():
        raise LocalError(f"invalid picture: {written} is a folder")
    if suffix != ".svg" and not _is_raster(path):
        raise LocalError(f"invalid picture: {written} is none, whatever its name says")
    return path


def find_dark(file: Path, root: Path) -> Path | None:
    """Return `x.dark.png` beside `x.png`, if it is there: what readers see by night. Raises `LocalError`."""
    dark = file.with_name(f"{file.stem}.dark{file.suffix}")
    if file.stem.endswith(".dark") or not dark.is_file():
        return None
    return find_picture(dark.name, dark.parent, root)


def _is_raster(path: Path) -> bool:
    """Whether a file begins as pictures do; that one cannot be read is told when it is read whole."""
    try:
        with path.open("rb") as file:
            begin = file.read(12)
    except OSError:
        return True
    return begin.startswith(_SIGNATURES) or begin[8:] == b"WEBP" or begin[4:8] == b"ftyp"


def _near(written: str, path: Path) -> str:
    """Return the nearest name beside a path that does not exist, as the author would write it."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return ""
    return nearest(written, [written[: len(written.rstrip("/")) - len(path.name)] + name for name in names])

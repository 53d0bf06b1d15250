"""`Licence`: what an article may be used under, as authors write it, with its address."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Licence", "read_licence"]

# https://spdx.org/licenses/ has hundreds; these are what texts and code beside them are given under
_SPDX = {
    name.casefold(): name
    for name in (
        "0BSD", "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "GFDL-1.3-or-later",
        "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later", "ISC",
        "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "MIT-0", "MPL-2.0", "ODbL-1.0", "OFL-1.1", "Unlicense",
    )
}  # fmt: skip
_CC = re.compile(r"cc-?(by(?:-nc)?(?:-sa|-nd)?)(?:-(\d\.\d))?")
_CC_DEED = re.compile(r"https?://(?:www\.)?creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)(?:/.*)?", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s\"<>]+", re.IGNORECASE)


@dataclass(frozen=True)
class Licence:
    """A licence by the name that readers see; `spdx` is its identifier, where it has one that we know."""

    name: str
    url: str | None = None
    spdx: str | None = None


def read_licence(written: str) -> Licence:
    """Return the licence that an author names: `CC-BY-4.0`, `CC BY`, `CC0`, `MIT`, an address, or words.

    >>> read_licence("CC BY-SA").url
    'https://creativecommons.org/licenses/by-sa/4.0/'
    """
    words = re.sub(r"[\s_]+", "-", written.strip().casefold())
    deed = _CC_DEED.fullmatch(written.strip())
    found = _CC.fullmatch(f"cc-{deed[1]}-{deed[2]}".casefold() if deed else words)
    if found:
        kind, version = found[1], found[2] or "4.0"
        name = f"CC-{kind.upper()}-{version}"
        return Licence(name, f"https://creativecommons.org/licenses/{kind}/{version}/", name)
    if re.fullmatch(r"cc-?0(-1\.0)?|cc-?zero", words) or "creativecommons.org/publicdomain/zero/" in words:
        return Licence("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0")
    if words in _SPDX:
        name = _SPDX[words]
        return Licence(name, f"https://spdx.org/licenses/{name}.html", name)
    if _URL.fullmatch(written.strip()):
        return Licence(written.strip(), written.strip())
    return Licence(written.strip())

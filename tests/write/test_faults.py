"""What is left of a site where writing fails, is killed, or is done twice at once."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from builder.errors import BuildError
from builder.write import STAGE, write_site

from .sites import NEW, OLD, read


@pytest.mark.parametrize("refused", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_disk_leaves_the_old_site_as_it_was(output: Path, monkeypatch: pytest.MonkeyPatch, refused: int) -> None:
    """Not a byte of the old site changes, nothing is left behind, and the author is told in plain words."""
    write_site(OLD, output)
    before = {file: file.read_bytes() for file in output.rglob("*") if file.is_file()}
    real, calls = Path.write_bytes, []

    def fail(self: Path, data: bytes) -> int:
        calls.append(self)
        if len(calls) == 3:
            real(self, data[:2])
            raise OSError(refused, os.strerror(refused), str(self))
        return real(self, data)

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(BuildError, match="broken output: cannot write the site") as caught:
        write_site(NEW, output)
    assert ("the disk is full" in str(caught.value)) == (refused != errno.EIO)
    assert {file: file.read_bytes() for file in output.rglob("*") if file.is_file()} == before
    assert not (output / STAGE).exists()


def test_a_full_disk_leaves_no_empty_site(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the first build of all fails there is no output afterwards."""

    def fail(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(BuildError, match="the disk is full"):
        write_site(OLD, output)
    assert not output.exists()


def test_a_picture_that_went_away_is_named(output: Path, tmp_path: Path) -> None:
    """A file that vanishes between reading and writing is the author's to mend."""
    with pytest.raises(BuildError) as caught:
        write_site({"a.png": tmp_path / "cat.png"}, output)
    assert caught.value.problems[0].path == tmp_path / "cat.png"


def test_ctrl_c_leaves_nothing_half_done(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt while files are staged leaves the old site; the next build works."""
    write_site(OLD, output)
    before = read(output)

    def interrupt(self: Path, data: bytes) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_site(NEW, output)
    assert read(output) == before
    assert not (output / STAGE).exists()
    write_site(NEW, output)
    assert read(output) == NEW


KILLED = """
import os, signal, sys
from pathlib import Path
from builder.write import write_site
sys.path.insert(0, {tests!r})
from sites import NEW, OLD

left = int(sys.argv[2])
def dying(function):
    def wrapped(*args, **kwargs):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return wrapped

for owner, name in ((os, "replace"), (os, "unlink"), (os, "mkdir"), (os, "rmdir"), (Path, "write_bytes")):
    setattr(owner, name, dying(getattr(owner, name)))
write_site(NEW, Path(sys.argv[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_kill_at_any_moment_leaves_every_page_usable(tmp_path: Path) -> None:
    """Before each system call in turn the process is killed; an old page has its old assets, a new one its new."""
    script = tmp_path / "killed.py"
    script.write_text(textwrap.dedent(KILLED).format(tests=str(Path(__file__).parent)))
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    needs = {b"old": ("assets/1/a.css", b"old css"), b"new": ("assets/2/a.css", b"new css")}
    for step in range(60):
        output = tmp_path / f"site{step}"
        write_site(OLD, output)
        (output / "CNAME").write_bytes(b"mine")
        code = subprocess.run([sys.executable, script, output, str(step)], env=env, timeout=60, check=False).returncode
        files = read(output)
        for page in ("index.html", "a/index.html"):
            asset, content = needs[files[page][:3]]
            assert files[asset] == content, f"killed at step {step}: {page} lacks {asset}"
        write_site(NEW, output)
        assert read(output) == {**NEW, "CNAME": b"mine"}, f"the build after a kill at step {step} did not tidy up"
        if code == 0:
            break
    assert code == 0, "the script never ran to its end"
    assert step > 10


def test_two_builds_into_one_output_take_turns(output: Path) -> None:
    """Whichever comes last, the output is one of the two sites and not a mixture."""
    sites = [{f"{n}/{i}.html": b"%d" % n for i in range(30)} for n in range(4)]
    threads = [threading.Thread(target=write_site, args=(site, output)) for site in sites]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert read(output) in sites


def test_a_cache_that_cannot_be_written_does_not_stop_publishing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CI may mount stored answers read-only: only the lock lies in the cache, and one build alone needs none."""
    blocked = tmp_path / "cache"
    blocked.write_text("no folder")
    monkeypatch.setenv("FANLIGHT_CACHE", str(blocked))
    write_site({"index.html": b"page"}, tmp_path / "_site")
    assert (tmp_path / "_site/index.html").read_bytes() == b"page"

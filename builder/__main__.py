"""The command line: `fanlight new import build serve status check publish clean`; only it exits."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__
from .arguments import parse
from .commands import COMMANDS
from .commands.ending import Ended, ended_by_signals
from .commands.exits import Exit
from .errors import BuildError, Problem

if TYPE_CHECKING:
    from .terminal import Terminal

__all__ = ["build", "main", "serve"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 well, 1 the author's errors, 2 usage, 3 ours, 130 interrupted.

    A signal that asks to end counts as an interrupt, with its own status: 143 for SIGTERM.
    """
    from .terminal import Terminal

    gc.set_threshold(50_000, 20, 20)  # a command does not live long enough to look for cycles all the time
    try:
        options = parse(sys.argv[1:] if argv is None else list(argv))
    except SystemExit as exit_:  # argparse has printed help, a version, or what is wrong with the arguments
        return int(exit_.code or 0)
    terminal = Terminal(quiet=options.quiet, verbose=options.verbose)
    try:
        with ended_by_signals():
            return COMMANDS[options.command].run(options, terminal)
    except BuildError as error:
        terminal.show(error.problems)
        return Exit.AUTHOR
    except KeyboardInterrupt as interrupt:
        terminal.complain("interrupted; the last good site stands")
        return interrupt.status if isinstance(interrupt, Ended) else Exit.INTERRUPTED
    except BrokenPipeError:  # `fanlight status | head`: whoever read us has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.WELL
    except Exception as error:
        return _explain(error, terminal)


def build() -> int:
    """Run `fanlight build`, as the command `build`."""
    return main(["build", *sys.argv[1:]])


def serve() -> int:
    """Run `fanlight serve`, as the command `serve`."""
    return main(["serve", *sys.argv[1:]])


def _explain(error: Exception, terminal: Terminal) -> int:
    """Say whose fault an unexpected exception is: a kind of the site's own, or else ours; return the exit status."""
    frames = traceback.extract_tb(error.__traceback__)
    what = f"{type(error).__name__}: {error}"
    if terminal.verbose:
        terminal.complain("".join(traceback.format_exception(error)).rstrip())
    for part, folder in _own_code(terminal.root):  # templates have frames, too
        inside = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
        if inside:
            terminal.show([Problem(f"broken {part}: {what}", Path(inside[-1].filename), inside[-1].lineno)])
            return Exit.AUTHOR
    terminal.complain(what)
    for note in getattr(error, "__notes__", ()):  # which figure it was, if it was one
        terminal.complain(f"  {note}")
    package = Path(__file__).parent
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(package)] or list(frames)
    for frame in reversed(ours[-2:]):
        terminal.complain(f"  at {Path(frame.filename).name}:{frame.lineno} in {frame.name}")
    more = "" if terminal.verbose else " With -v all of it is shown."
    terminal.complain(f"This is a fault of Fanlight {__version__}, not of your site; please report it.{more}")
    return Exit.OURS


def _own_code(root: Path | None) -> list[tuple[str, Path]]:
    """Return where code lies that is not ours: the site's own kinds and theme, and the plugins that it names."""
    from .folders import BUILT_IN
    from .site.plugins import places_of_plugins

    own = [] if root in (None, BUILT_IN) else [("kind", root / "figures"), ("theme", root / "theme")]
    return own + [(f"plugin {name}", place) for name, places in places_of_plugins().items() for place in places]


if __name__ == "__main__":
    sys.exit(main())

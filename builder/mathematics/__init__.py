"""`Katex`: TeX to HTML and MathML at build time, each formula typeset once and then kept on disk."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, cast

from ..errors import BuildError, nearest
from .formulas import Formulas

__all__ = ["Katex", "TexError"]

PROGRAM = Path(__file__).with_name("katex.js")
STACK_SIZE = 4 << 20  # bytes; KaTeX's parser and builder recurse deeper than QuickJS's default of 1 MB allows
THREAD_STACK_SIZE = 16 << 20  # bytes; musl's default of 128 KB would overflow before QuickJS notices
MEMORY_LIMIT = 256 << 20  # bytes; KaTeX itself takes about 10 MB
SECONDS = 10  # for one formula; the slowest honest one takes some milliseconds


_OUTSIDE = {
    "\\label": "{#eq-…} behind the closing $$",
    **dict.fromkeys(("\\ref", "\\eqref", "\\autoref", "\\cref"), "@eq-… in the text"),
    **dict.fromkeys(("\\cite", "\\citep", "\\citet"), "[@key] in the text"),
    **dict.fromkeys(("\\newcommand", "\\DeclareMathOperator", "\\usepackage"), "macros in front matter, under math:"),
}
"""LaTeX's commands about more than a formula, and how an article says the same."""


class TexError(Exception):
    """TeX that KaTeX refuses. `offset` and `length` count characters into the TeX; `message` is for authors."""

    def __init__(self, message: str, offset: int = 0, length: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length = length

    def __reduce__(self) -> tuple[Any, ...]:
        return TexError, (self.message, self.offset, self.length)


class Katex:
    r"""Typesets formulas with one set of macros (`{"\\R": "\\mathbb{R}"}`, the backslash may be left out).

    `script` is `katex.min.js`. Formulas are kept in the folder `cache` under the hash of all that they depend on;
    without one they are kept in memory; `flush` writes what is new. The JavaScript engine starts with the first formula
    that is not there. Safe in threads.

    >>> Katex(script, None, {}).render("x^2", display=False)  # doctest: +SKIP
    '<span class="katex">…'
    """

    def __init__(self, script: Path, cache: Path | None = None, macros: Mapping[str, str] | None = None) -> None:
        self.script = script
        self.cache = cache
        named = {name if name.startswith("\\") else f"\\{name}": text for name, text in (macros or {}).items()}
        self._macros = json.dumps(named, sort_keys=True, ensure_ascii=False)
        self._stored = _store(cache / "formulas.sqlite3") if cache else None
        self._kept: dict[tuple[str, bool], str] = {}

    def render(self, tex: str, display: bool) -> str:
        """Return the formula's HTML, with its MathML inside. Raises `TexError`, or `BuildError` without KaTeX."""
        html = self._find(tex, display)
        if html is None:
            _digest(self.script)  # says what is missing
            answer = json.loads(_engine(self.script)([(tex, display)], self._macros)[0])
            if "html" not in answer:
                raise _error(tex, answer, self.script, cast(dict[str, str], json.loads(self._macros)))
            html = self._keep(tex, display, answer["html"])
        return html

    def prepare(self, formulas: Iterable[tuple[str, bool]]) -> None:
        """Typeset many formulas, each with whether it is displayed, in one visit to the engine.

        Nothing is raised: those that KaTeX refuses are refused again when they are rendered.
        """
        unknown = [formula for formula in dict.fromkeys(formulas) if formula not in self._kept]
        if unknown and self._stored:
            keys = {formula: self._key(*formula) for formula in unknown}
            stored = self._stored.find_many(list(keys.values()))
            self._kept.update({formula: stored[key] for formula, key in keys.items() if key in stored})
        missing = [formula for formula in unknown if formula not in self._kept]
        for formula, text in zip(missing, _engine(self.script)(missing, self._macros) if missing else (), strict=True):
            answer = json.loads(text)
            if "html" in answer:
                self._keep(*formula, answer["html"])

    def _find(self, tex: str, display: bool) -> str | None:
        html = self._kept.get((tex, display))
        if html is None and self._stored:
            html = self._stored.find(self._key(tex, display))
            if html is not None:
                self._kept[tex, display] = html
        return html

    def _keep(self, tex: str, display: bool, html: str) -> str:
        self._kept[tex, display] = html
        if self._stored:
            self._stored.put(self._key(tex, display), html)
        return html

    def flush(self) -> None:
        """Write to disk what was typeset since the last time."""
        if self._stored:
            self._stored.flush()

    def _key(self, tex: str, display: bool) -> str:
        question = json.dumps([tex, display, self._macros, _digest(self.script)], ensure_ascii=False)
        return hashlib.sha256(question.encode("utf-8")).hexdigest()


def _error(tex: str, answer: Mapping[str, Any], script: Path, macros: Mapping[str, str]) -> TexError:
    """Return KaTeX's complaint in our words, and where in the TeX it points."""
    message, position, length = str(answer["message"]).strip(), answer["position"], answer["length"] or 0
    offset, end = (_index(tex, position), _index(tex, position + length)) if position is not None else (0, 0)
    marked = "".join(re.findall("(.)\u0332", answer["context"], re.DOTALL))
    where = ""
    if position is not None and marked != tex[offset:end]:  # it counts into the text of a macro
        where = ", in a macro"
        offset, end = min(
            (found.span() for name in macros if (found := re.search(rf"{re.escape(name)}(?![A-Za-z])", tex))),
            default=(0, 0),
        )
    if untrusted := re.match(r"Untrusted command: (\\\w+)", message):
        offset = max(tex.find(untrusted[1]), 0)
        allowed = r"; only \htmlClass{term-…} and \htmlData{term=…} are" if untrusted[1].startswith("\\html") else ""
        return TexError(f"unsupported TeX command: {untrusted[1]} is not trusted{allowed}", offset, len(untrusted[1]))
    if unknown := re.search(r"(?:Undefined control sequence|No such environment): (\\?[A-Za-z*]+)", message):
        what = "command" if unknown[1].startswith("\\") else "environment"
        guess = nearest(unknown[1], _commands(script) | set(macros)) if what == "command" else ""
        guess = f" (write {_OUTSIDE[unknown[1]]})" if unknown[1] in _OUTSIDE else guess
        return TexError(f"unknown TeX {what}: {unknown[1]}{where}{guess}", offset, end - offset)
    return TexError(f"invalid TeX: {message}{where}", offset, end - offset)


def _index(text: str, units: int) -> int:
    """Return the Python index for a position that JavaScript counts in UTF-16 units."""
    return len(text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore"))


@cache
def _commands(script: Path) -> frozenset[str]:
    r"""Return all commands that KaTeX's source names (`"\\frac"`), to suggest one for a misspelt one."""
    return frozenset(f"\\{name}" for name in re.findall(r'"\\\\([A-Za-z]+)"', script.read_text(encoding="utf-8")))


@cache
def _digest(script: Path) -> str:
    """Return what a formula's look depends on besides itself: the digest of KaTeX and of our program."""
    try:
        return hashlib.sha256(script.read_bytes() + PROGRAM.read_bytes()).hexdigest()
    except OSError as error:
        raise BuildError(
            f"missing KaTeX: {script} comes with an installed Fanlight; in a checkout run `python hatch_build.py`"
        ) from error


@cache
def _store(file: Path) -> Formulas:
    """Return the one store of a file: articles with macros of their own share it."""
    return Formulas(file)


_starting = threading.Lock()


def _engine(script: Path) -> Callable[[Sequence[tuple[str, bool]], str], list[str]]:
    """Return the one engine of this process for a script: formulas and macros to answers, in JSON.

    An engine must be used from the thread that made it, which is its own.
    """
    with _starting:
        return _start(script)


@cache
def _start(script: Path) -> Callable[[Sequence[tuple[str, bool]], str], list[str]]:
    before = threading.stack_size(THREAD_STACK_SIZE)
    try:
        worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="katex")
        context = worker.submit(
            _load, [script.read_text(encoding="utf-8"), PROGRAM.read_text(encoding="utf-8")]
        ).result()
    finally:
        threading.stack_size(before)

    def typeset(formulas: Sequence[tuple[str, bool]], macros: str) -> list[str]:
        return [context(tex, display, macros) for tex, display in formulas]

    def call(formulas: Sequence[tuple[str, bool]], macros: str) -> list[str]:
        return worker.submit(typeset, formulas, macros).result()

    return call


def _load(sources: list[str]) -> Callable[..., str]:
    """Load the programs into QuickJS, or Duktape where there is none (Macs with Intel's processors)."""
    try:
        import quickjs
    except ImportError:
        return _load_duktape(sources)
    context = quickjs.Context()
    context.set_max_stack_size(STACK_SIZE)
    context.set_memory_limit(MEMORY_LIMIT)
    for source in sources:
        context.eval(source)
    render = context.get("fanlightRender")

    def call(*arguments: Any) -> str:
        context.set_time_limit(SECONDS)
        try:
            return cast(str, render(*arguments))
        except (quickjs.JSException, quickjs.StackOverflow) as error:
            return _refusal(error)

    return call


def _load_duktape(sources: list[str]) -> Callable[..., str]:
    import dukpy

    interpreter = dukpy.JSInterpreter()
    for source in sources:
        interpreter.evaljs(f"{source};null")

    def call(tex: str, display: bool, macros: str) -> str:
        try:
            program = "fanlightRender(dukpy.tex, dukpy.display, dukpy.macros)"
            return cast(str, interpreter.evaljs(program, tex=tex, display=display, macros=macros))
        except dukpy.JSRuntimeError as error:
            return _refusal(error)

    return call


def _refusal(error: Exception) -> str:
    """Return an answer for a formula that was too much for the engine itself."""
    what = str(error).splitlines()[0] if str(error) else type(error).__name__
    return json.dumps({"message": f"too large to typeset ({what})", "position": None, "length": None, "context": ""})

"""Options that several commands have, and the site and the builder that they lead to."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import nearest

if TYPE_CHECKING:
    from ..build import Builder
    from ..progress import Listener
    from ..site import Site
    from ..terminal import Terminal

__all__ = ["add_build_options", "add_workers", "base_url", "count", "make_builder", "open_site"]

DEVICE = r"auto|cpu|mps|(cuda|xpu|hpu|npu)(:\d+)?"


def add_build_options(parser: argparse.ArgumentParser) -> None:
    """Add what is built, of what, and by whom."""
    add = parser.add_argument
    add("-o", "--output", metavar="DIR", type=Path, help="write the site there (else the setting `output`)")
    add("-D", "--drafts", action="store_true", help="build drafts too")
    add("--base-url", metavar="URL", type=base_url, help="where the site will be published")
    add("--frozen", action="store_true", help="compute nothing: publish from stored answers, without torch")
    add(
        "--refresh", metavar="LABEL", action="append", default=[], help="compute this figure anew, or `all`; repeatable"
    )
    add("--only", metavar="SLUG", action="append", default=[], help="build only this article; repeatable")
    add_workers(parser)
    add("--no-strict", action="store_true", help="publish in spite of errors that a page survives")


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add who computes."""
    add = parser.add_argument
    add("-j", "--jobs", metavar="N", type=count, help="compute in N processes (else in as many as pay)")
    add("--device", type=_device, default="auto", help="auto, cpu, cuda, cuda:1, mps, …")
    add("--scheduler", metavar="ADDRESS", type=_scheduler, help="compute on a Dask cluster: tcp://HOST:PORT")


def open_site(options: argparse.Namespace, terminal: Terminal) -> Site:
    """Return the site that the current folder lies in, with what the options say over what its file says."""
    from ..site import find_site
    from ..write import check_output

    overrides: dict[str, Any] = {}
    if getattr(options, "base_url", None) is not None:
        overrides["base_url"] = options.base_url
    if getattr(options, "drafts", False):
        overrides["drafts"] = True
    if getattr(options, "no_strict", False):
        overrides["strict"] = False
    site = find_site(Path.cwd(), output=getattr(options, "output", None), **overrides)
    terminal.root = site.root
    if options.command in ("build", "serve"):
        check_output(site.output, site.root)  # before anything is computed for it
    return site


def make_builder(
    site: Site, options: argparse.Namespace, listener: Listener, *, keep_models: bool, keep_answers: bool = True
) -> Builder:
    """Return what builds the site as the options say."""
    from ..build import Builder

    return Builder(
        site,
        frozen=options.frozen,
        refresh=frozenset(options.refresh),
        only=frozenset(options.only),
        jobs=options.jobs,
        device=options.device,
        scheduler=options.scheduler or "",
        listener=listener,
        keep_models=keep_models,
        keep_answers=keep_answers,
    )


def base_url(text: str) -> str:
    """Return an address of a site, as an option gives it."""
    from ..site import read_base_url  # 10 ms, and `--help` has no use for it

    try:
        return read_base_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"invalid address: {error}") from error


def count(text: str) -> int:
    """Return a number of 0 or more, as an option gives it."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"invalid number: {text!r}")
    return int(text)


def _scheduler(text: str) -> str:
    if not re.fullmatch(r"(tcp|tls)://([\w.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}", text):
        raise argparse.ArgumentTypeError(f"invalid address: {text!r} is not like tcp://127.0.0.1:8786 or tls://…")
    return text


def _device(text: str) -> str:
    if not re.fullmatch(DEVICE, text):
        close = nearest(text, ["auto", "cpu", "cuda", "mps", "xpu", "hpu", "npu"])
        raise argparse.ArgumentTypeError(f"unknown device: {text!r}{close}")
    return text

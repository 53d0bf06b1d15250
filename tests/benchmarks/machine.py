"""What numbers were measured on: the processor, its cores, the memory, versions; nothing that names a host."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from pathlib import Path

PACKAGES = ("fanlight", "torch", "transformers", "captum", "inseq", "bertviz", "scikit-learn", "distributed")


CPUINFO = Path("/proc/cpuinfo")
VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2", "asimd": "NEON"}
"""Flags of the processor, the widest first, and what their instructions are called."""


def describe() -> str:
    """Return a line about this machine, such as `AMD EPYC 9B14, AVX-512, 2 cores, 24 GB, Linux`."""
    parts = (processor(), vectors(), f"{os.cpu_count()} cores", f"{memory() / 2**30:.0f} GiB", platform.system())
    return ", ".join(part for part in parts if part)


def vectors(cpuinfo: Path = CPUINFO) -> str:
    """Return the widest vector instructions of the processor where the system tells: products are as fast as they.

    AMD's family 25 takes those of 512 bits in two steps (Zen 4), and multiplies no faster than with AVX2. Intel's
    processors are named: torch's own products, MKL's, are as fast there as any, for every program.
    """
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "NEON" if platform.machine() == "arm64" else ""
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = set(f"{told.get('flags', '')} {told.get('Features', '')}".split())
    name = next((name for flag, name in VECTORS.items() if flag in flags), "")
    if name == "AVX-512" and told.get("vendor_id") == "GenuineIntel":
        return f"{name} Intel"
    by_halves = (told.get("vendor_id"), told.get("cpu family")) == ("AuthenticAMD", "25")
    return f"{name} by halves" if name == "AVX-512" and by_halves else name


def processor() -> str:
    """Return the processor's own name where the system tells it."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def memory() -> int:
    """Return the bytes of memory that the machine has."""
    import psutil

    return int(psutil.virtual_memory().total)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that are there."""
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def resident() -> float:
    """Return the megabytes that this process holds."""
    import psutil

    return float(psutil.Process().memory_info().rss) / 2**20


def forget_peak() -> None:
    """Have the peak of this process begin anew, where the system can (Linux: man 5 proc, clear_refs)."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def peak() -> float:
    """Return the most megabytes that this process held since `forget_peak`, or since its start on other systems."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        import resource

        unit = 1 if platform.system() == "Darwin" else 1024  # ru_maxrss is bytes there, kilobytes elsewhere
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def products(seconds: float = 0.4) -> dict[str, float]:
    """Return GFLOP/s of float32 products as torch does them now, by shape: the best of repetitions in so many seconds.

    The shapes are those of SmolLM2: a block's products with 64 and with 1,000 rows, and the head's with 40.
    """
    import torch

    found = {}
    for rows, inner, outer in ((64, 576, 1536), (1000, 576, 1536), (1000, 1536, 576), (40, 576, 49152)):
        a, b = torch.randn(rows, inner), torch.randn(outer, inner)
        best, until = float("inf"), time.perf_counter() + seconds
        while time.perf_counter() < until:
            start = time.perf_counter()
            torch.nn.functional.linear(a, b)
            best = min(best, time.perf_counter() - start)
        found[f"[{rows}, {inner}] × [{inner}, {outer}]"] = 2 * rows * inner * outer / best / 1e9
    return found

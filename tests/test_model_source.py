"""What a site's settings may say of a model."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from builder.errors import BuildError
from builder.model_source import ModelSource, complaints, size_in_bytes
from builder.site import find_site


def test_settings_of_memory_and_precision_are_read(tmp_path: Path) -> None:
    """`max_memory` is a table as transformers takes it; what is read of it can be a key of a mapping, and be JSON."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.fanlight.models.big]\nsource = "gpt2"\ndtype = "bfloat16"\ndevice_map = "auto"\n'
        'max_memory = { 0 = "20GB", cpu = 60000000 }\n'
    )
    source = find_site(tmp_path).models["big"]
    assert (source.dtype, source.device_map) == ("bfloat16", "auto")
    assert source.max_memory == (("0", "20GB"), ("cpu", "60000000"))
    assert ModelSource(**json.loads(json.dumps(dataclasses.asdict(source)))) == source
    assert len({source, dataclasses.replace(source)}) == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('dtype = "bfloat61"', "unknown dtype: bfloat61 of model big (did you mean bfloat16?)"),
        ('dtype = "int4"', "unknown dtype: int4 of model big ("),
        ('device_map = "balance"', "unknown device_map: balance of model big (did you mean balanced?)"),
        ('device_map = "auto"\nmax_memory = { gpu = "1GB" }', "unknown device: gpu in max_memory of model big"),
        ('device_map = "auto"\nmax_memory = { cpu = "lots" }', "invalid max_memory: lots of model big is no size"),
        ('max_memory = { cpu = "1GB" }', "missing device_map: model big has max_memory"),
        ('device_map = "auto"\nmax_memory = "1GB"', "invalid model setting: big.max_memory must be of type dict"),
    ],
)
def test_what_means_nothing_is_told_at_its_line(line: str, told: str, tmp_path: Path) -> None:
    """With the nearest right one, before anything is loaded."""
    (tmp_path / "pyproject.toml").write_text(f'[tool.fanlight.models.big]\nsource = "gpt2"\n{line}\n')
    with pytest.raises(BuildError) as caught:
        find_site(tmp_path)
    [problem] = caught.value.problems
    assert problem.line == 3 + line.count("\n")
    assert problem.message.startswith(told)


@pytest.mark.parametrize(
    ("size", "expected"),
    [("20GB", 20e9), ("1.5 GiB", 1.5 * 2**30), ("512mb", 512e6), ("7", 7), ("", None), ("GB", None), ("1 PB", None)],
)
def test_sizes_are_transformers_own(size: str, expected: Any) -> None:
    """Decimal and binary units; a plain number is of bytes."""
    assert size_in_bytes(size) == expected


def test_settings_that_are_right_are_not_complained_of() -> None:
    """Every choice is taken."""
    assert not list(complaints("big", {"source": "x", "dtype": "auto", "device_map": "sequential"}))

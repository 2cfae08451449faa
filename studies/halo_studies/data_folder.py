"""Where a study finds its data: the option `--data`, or the environment variable HALO_STUDY_DATA."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

__all__ = ["VARIABLE", "add_data_option", "data_folder", "parse_with_data"]

VARIABLE: Final = "HALO_STUDY_DATA"
"""Names the folder that holds `traces/`, `traces/wider/`, `handoffs/` and `identity/`."""


def data_folder(name: str) -> Path | None:
    """The folder of that name below HALO_STUDY_DATA; None where the variable is not set."""
    root = os.environ.get(VARIABLE)
    return Path(root) / name if root else None


def add_data_option(parser: argparse.ArgumentParser, name: str, holds: str = "sessions.jsonl.gz") -> None:
    """Add `--data`, a folder that holds such a file; by default the folder `name` below HALO_STUDY_DATA."""
    text = f"folder with {holds} (default: {name} in the folder that {VARIABLE} names)"
    parser.add_argument("--data", type=Path, metavar="DIR", default=data_folder(name), help=text)


def parse_with_data(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the options; without a data folder say how to name one, and exit with 2. What only draws needs none."""
    options: argparse.Namespace = parser.parse_args(argv)
    if options.data is None and not getattr(options, "draw", None):
        parser.error(f"no data folder: give --data DIR, or set {VARIABLE} (studies/README.md says what it holds)")
    return options

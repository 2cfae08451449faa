"""Fixtures of the tests of studies."""

from __future__ import annotations

import sys
from pathlib import Path

# The studies are scripts: their folder is on the path as when one of them is started.
sys.path.append(str(Path(__file__).resolve().parents[2] / "studies"))

"""The worker of `peers.py` that only inserts bytes durably into SQLite: `python _peers_commit.py FOLDER RULES`."""

from __future__ import annotations

import sys
from pathlib import Path

from _decision_floor import open_floor
from _peers_turns import serve

_BYTES = 1_800


def main() -> None:
    with open_floor(Path(sys.argv[1]), _BYTES) as floor:
        serve(floor.commit, dict)


if __name__ == "__main__":
    main()

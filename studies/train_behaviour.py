"""Train the behaviour model that is shipped, and write it as integer tables.

    python studies/train_behaviour.py --data DIR --data DIR
    python studies/train_behaviour.py --data DIR --out model.bin --size 10

Every action is seen three times: against a baseline that knows its task, against one that does not, and, against that,
as an enforcement point would see it: with declared tools, and planted goals in carriers. Each of them once more,
against a baseline of few sessions. Out-of-fold margins (five folds by user task) set the calibration and the limits;
the model itself is then fitted on everything. The same data and seed give the same bytes. Figures go to stdout as JSON;
docs/model-card.md says what they mean.

Exit: 0 written, 2 the data is missing, too little, or something else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import zlib
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from halo_core.crypto import canonical
from halo_studies.detection.training import trained
from halo_studies.drift.axes import axes_of, with_limits
from halo_studies.drift.streams import pools_of, streams
from halo_studies.recordings.labelled_sessions import BadData, read

__all__ = ["main"]

_PACKAGE: Final = Path(__file__).resolve().parents[1] / "src" / "halo_core" / "risk"
_NULL_STREAMS: Final = 600
_FALSE_ALARMS: Final = 0.07


def main(argv: Sequence[str] | None = None) -> int:
    """Train, write, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, action="append", required=True, help="folder with sessions.jsonl.gz")
    parser.add_argument("--out", type=Path, default=_PACKAGE / "model.bin", help="default %(default)s")
    parser.add_argument("--axes-out", type=Path, default=_PACKAGE / "axes.json", help="default %(default)s")
    parser.add_argument("--size", type=int, default=100, help="hundredths of the trees, for quick runs")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        sessions = [session for folder in options.data for session in read(folder)]
    except (BadData, OSError) as exc:
        sys.stderr.write(f"train_behaviour: {exc}\n")
        return 2
    model, figures = trained(sessions, size=options.size, seed=options.seed)
    options.out.write_bytes(zlib.compress(model.to_bytes(), 9))
    pools = pools_of(sessions)
    null = streams(pools, "null", max(_NULL_STREAMS * options.size // 100, 20), 0)
    if not null:
        sys.stderr.write("train_behaviour: too few identities for drift, no axes written\n")
        return 2
    options.axes_out.write_bytes(canonical.dumps(with_limits(axes_of(pools), null, _FALSE_ALARMS).to_plain()))
    figures |= {"bytes": options.out.stat().st_size, "hash": "sha256:" + sha256(model.to_bytes()).hexdigest()}
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

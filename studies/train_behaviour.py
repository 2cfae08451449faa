"""Train the behaviour model that is shipped, and write it as integer tables.

    python studies/train_behaviour.py --data DIR --data DIR
    python studies/train_behaviour.py --data DIR --out model.bin --size 10

Every action is seen three times: against a baseline that knows its task, against one that does not, and, against that,
as an enforcement point would see it: with declared tools, and planted goals in carriers. Each of them once more,
against a baseline of few sessions. A second booster learns from made-up hijacks too (`halo_core.training`).
Out-of-fold margins (five folds by user task) set the calibration and the limits; the model itself is then fitted on
everything. The same data and seed give the same bytes. Figures go to stdout as JSON; docs/model-card.md says what they
mean. --cache keeps the tables of features, which take most of the time beside the fits.

Exit: 0 written, 2 the data is missing, too little, or something else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from halo_core.crypto import canonical
from halo_core.training.train import TrainingOptions, fit_views, pack_model
from halo_studies.detection.cached_views import views_of
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
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the tables of features here")
    parser.add_argument("--size", type=int, default=100, help="hundredths of the trees, for quick runs")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        sessions = [session for folder in options.data for session in read(folder)]
    except (BadData, OSError) as exc:
        sys.stderr.write(f"train_behaviour: {exc}\n")
        return 2
    views = views_of(sessions, options.cache)
    trained = fit_views(
        views, sessions, TrainingOptions(options.size, options.seed), note=lambda text: print(text, file=sys.stderr)
    )
    options.out.write_bytes(pack_model(trained.model))
    pools = pools_of(sessions)
    null = streams(pools, "null", max(_NULL_STREAMS * options.size // 100, 20), 0)
    if not null:
        sys.stderr.write("train_behaviour: too few identities for drift, no axes written\n")
        return 2
    options.axes_out.write_bytes(canonical.dumps(with_limits(axes_of(pools), null, _FALSE_ALARMS).to_plain()))
    size, digest = options.out.stat().st_size, sha256(trained.model.to_bytes()).hexdigest()
    figures = {**trained.figures, "bytes": size, "hash": f"sha256:{digest}"}
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The conformance set of evidence packs: good ones, and what each spoiled one is found to be.

    python tests/evidence/conformance/generate.py FOLDER      writes every case as a file, with expected.json
    python tests/evidence/conformance/generate.py --record    makes the good packs that are not there yet

The good packs are a reference: a verifier of today must read them as that of then did. They are not recorded again
because a test fails. They come from two golden ledgers (tests/golden), whose log keys lie beside and protect nothing.
"""

from __future__ import annotations

import argparse
import json
import lzma
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "golden")]

from golden_world import unpack  # noqa: E402
from pack_cases import BASES, CASES  # noqa: E402
from pack_world import load_key, vkey_of  # noqa: E402

from halo_core.crypto.keys import KeyStore  # noqa: E402
from halo_core.evidence.pack import PackRequest, make_pack  # noqa: E402
from halo_core.store.reader import Reader, SealedContents  # noqa: E402


def record(name: str) -> None:
    """Pack a golden ledger."""
    period, revealed = BASES[name]
    with tempfile.TemporaryDirectory() as folder:
        home, path = unpack(name, Path(folder) / "home"), Path(folder) / "pack.zip"
        with Reader(f"sqlite:///{home / 'halo.db'}") as reader:
            contents = SealedContents.with_home_key(reader, KeyStore(home))
            request = PackRequest(period, frozenset(revealed))
            make_pack(reader, "local", load_key(name), path, request, contents=contents)
        packed = lzma.compress(path.read_bytes(), preset=9 | lzma.PRESET_EXTREME)
    (HERE / f"{name}.zip.xz").write_bytes(packed)


def write_cases(folder: Path) -> None:
    """Write every case, and beside them which key, exit code and finding belong to each."""
    folder.mkdir(parents=True, exist_ok=True)
    expected = {}
    for case in CASES:
        (folder / f"{case.name}.zip").write_bytes(case.build())
        expected[case.name] = {"exit": case.exit_code, "finding": case.code, "key": vkey_of(load_key(case.base))}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="Where the cases are written.")
    parser.add_argument("--record", action="store_true", help="Make the good packs that are not there yet.")
    options = parser.parse_args()
    for name in BASES if options.record else ():
        if not (HERE / f"{name}.zip.xz").exists():
            record(name)
    if options.folder is not None:
        write_cases(options.folder)


if __name__ == "__main__":
    main()

"""The `halo` command: text for people on stdout, or JSON with `--json`.

Exit codes: 0 ok, 1 failed, 2 cannot tell, 10 denied, 11 tampered, 12 replay differs, 13 gap, 64 usage.
"""

from halo_core.cli.main import main

__all__ = ["main"]

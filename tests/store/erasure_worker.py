"""A process that erases, and dies at a place: `python erasure_worker.py HOME URL SUBJECT POINT` (`test_erasure.py`)."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing
from pathlib import Path

from halo_core import failpoints
from halo_core.crypto.keys import KeyStore
from halo_core.os_user import describe_os_user
from halo_core.oversight.erasure import erase, finish_erasure
from halo_core.oversight.erasure_plan import ErasureRequest, plan_erasure
from halo_core.store.config import StoreConfig
from halo_core.store.reader import Reader
from halo_core.store.store import Store


def main() -> None:
    home, url, subject, point = Path(sys.argv[1]), *sys.argv[2:5]

    def strike(name: str) -> None:
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    with closing(Store(StoreConfig(url, home, "local"), KeyStore(home))) as store:
        with Reader(url) as reader:
            plan = plan_erasure(reader, store, ErasureRequest(subject))
        failpoints.arm_failpoints(strike)
        store.commit(lambda tx: erase(tx, plan, describe_os_user()))
        finish_erasure(store)


if __name__ == "__main__":
    main()

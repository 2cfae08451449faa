"""The worker of `peers.py` with Halo: `python _peers_halo.py FOLDER RULES`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from _decision_measure import Agent
from _decision_world import open_world
from _peers_turns import serve
from halo_core.store.reader import Reader
from halo_core.verification import verify_store


def main() -> None:
    folder, rules = Path(sys.argv[1]), int(sys.argv[2])
    world = open_world(folder / "world", rules=rules)
    agent = Agent(world, "allowed")
    calls = 0

    def call() -> None:
        nonlocal calls
        calls += 1
        agent.drive(agent.next())

    def finish() -> dict[str, Any]:
        agent.flush()
        agent.check("allowed")
        world.halo.close()
        url = world.halo.store.config.url
        with Reader(url) as reader:
            entries = reader.next_index(reader.tenants()[0])
        report = verify_store(url, folder / "world" / "home", signatures=True)
        assert report.exit_code == 0, report.findings[:3]
        assert entries >= 2 * calls, (entries, calls)  # each decision and each outcome
        return {"calls": calls, "records": entries, "records_verify": True}

    serve(call, finish)


if __name__ == "__main__":
    main()

"""A benchmark of agents that turn bad by themselves, on three desks with synthetic worlds."""

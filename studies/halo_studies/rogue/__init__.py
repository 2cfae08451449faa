"""A benchmark of agents that turn bad by themselves, on four desks with synthetic worlds."""

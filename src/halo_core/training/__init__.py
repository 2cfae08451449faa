"""Trains the behaviour model on recorded sessions. It needs the extra `train`, which nothing needs at run time.

`sessions` defines a recorded session, `made_up_hijacks` makes hijacked ones from ordinary ones, `feature_tables`
compares actions with baselines, `fitting` fits the boosters, `metrics` counts what is caught, and `train` puts it
together and sets the limits. `ledger_sessions` and `ledger_model` train on a ledger.
"""

"""Training of the behaviour model on recorded sessions. It needs the extra `train`; nothing at run time does.

`sessions` says what a recorded session is, `made_up_hijacks` makes more of them, `feature_tables` compares actions with
baselines, `fitting` fits the boosters, `limits` sets limits on ordinary sessions, `metrics` counts what is caught, and
`train` puts it together.
"""

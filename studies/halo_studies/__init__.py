"""What the studies beside this package share: their data, detectors, drivers and figures."""

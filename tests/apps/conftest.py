"""Applications as tests; this file puts the folder on the path, where `counting` is."""

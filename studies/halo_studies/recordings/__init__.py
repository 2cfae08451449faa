"""Recorded agent sessions, read from the data folder."""

"""Room: the demonstration, a loan desk offline. Takes: a folder. Gives: a governed run. Never: reaches a network."""

from halo_llamaindex.demo.desk import run_desk

__all__ = ["run_desk"]

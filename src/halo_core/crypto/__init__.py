"""Canonical bytes, keys and signatures, random ids."""

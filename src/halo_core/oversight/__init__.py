"""Oversight: what people do about agents, and what later decisions read of it.

Stops and revocations (`restrictions`), challenges and their answers (`requests`, `approvals`), and the keys of those
who issue passports and answer challenges (`keys`).
"""

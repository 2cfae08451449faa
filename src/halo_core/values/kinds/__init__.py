"""Kinds of values and their canonical spellings: addresses, accounts, numbers, amounts, dates, names of arguments.

Start with `kinds`. docs/values.md holds the table of kinds.
"""

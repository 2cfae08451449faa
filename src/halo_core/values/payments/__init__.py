"""Payments that a text of the user states, gives or allows: payees, amounts, counts and ceilings.

Start with `stated_payments` and `paid_amounts`.
"""

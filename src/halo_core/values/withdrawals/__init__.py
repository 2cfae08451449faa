"""What a message of the user takes back of the orders before it, and what it wants after all.

Start with `withdrawals`.
"""

"""What is ordinary for people and service accounts, and a risk for each of their imported events.

Nothing here decides an action: these events happened already, elsewhere.
"""

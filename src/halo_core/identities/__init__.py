"""What is ordinary for people and service accounts, and the risk of each of their imported events.

Nothing here decides an action: these events have happened already, in other systems.
"""

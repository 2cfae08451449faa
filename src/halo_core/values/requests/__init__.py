"""What a text of the user asks for and names: acts, objects, records, days, counts, in whatever words.

Start with `asked_acts` and `asked_objects`. `user_texts` holds what only texts of the user are read for.
"""

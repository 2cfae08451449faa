"""Orders of the user that are read as statements: what is to be removed, set, sent or decided, and by which values.

Start with `stated_acts` and `whole_orders`. `shapes` and `named_shapes` read values by how they are written.
"""

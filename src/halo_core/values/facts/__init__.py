"""Facts about a call that policies read, such as `asked`: each module finds one, `facts` calls them all.

Start with `facts` and `call_view`.
"""

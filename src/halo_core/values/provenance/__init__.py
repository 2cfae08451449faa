"""Where the values of a call came from: the user, a trusted lookup, a declaration, nobody or untrusted content.

Start with `provenance` and `vouching`. `forms` finds the values of a text or argument. `observed_text` says what a
session keeps of a text, `result_origins` whose words a result is.
"""

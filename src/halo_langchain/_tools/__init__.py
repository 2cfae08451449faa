"""Room: tools, guarded copies and the calls that reach them. Takes: tools, calls. Gives: results. Never: decides."""

"""Room: agents, guarded copies with all that they reach. Takes: agents. Gives: copies. Never: decides."""

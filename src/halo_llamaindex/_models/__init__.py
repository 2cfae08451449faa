"""Room: guarded models. Takes: LLMs. Gives: copies that decide each call before it is sent."""

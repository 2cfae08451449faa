"""Room: tools, guarded copies and each way to call one. Takes: tools. Gives: copies. Never: decides."""

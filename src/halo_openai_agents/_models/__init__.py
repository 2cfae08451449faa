"""Room: models, guarded copies and each way to call one. Takes: models. Gives: copies. Never: decides."""

"""Room: guarded workflows and agents. Takes: workflows. Gives: copies whose steps are entered, and tools decided."""

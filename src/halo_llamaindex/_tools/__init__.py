"""Room: guarded tools. Takes: tools and functions. Gives: copies that are decided at the last step before they run."""

"""What a session was shown, as keyed fingerprints: words and values (`sketch`), words in order (`spans`)."""

"""Words of the user's language, and reading of texts that knows no values: patterns, normalization, word lists.

Start with `text` (tokens and their fingerprints) and `lexicon` (English words, stemmed). `foreign_words` lists words of
other languages. `prohibitions`, `quoted_orders` and `unordered_statements` find the words by which a text orders
nothing.
"""

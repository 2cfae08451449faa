"""Values of a call: their kinds and canonical forms, where they came from, and whether the user asked for the call.

Input: the texts that a session was shown, and the arguments of a call. Output: the origin of each argument (the user,
a trusted lookup, nobody, an untrusted source) and facts such as `asked`, which policies read. All functions are pure
and count in integers.

    sketch                         # what the session has been shown: "Pay 20 euros to ana@x.example"
    trace_leaves(leaves, sketch)   # to="ana@x.example" comes from the user; to="eve@y.example" from nobody
    find_facts(...)                # the user asked for a payment

The packages, imports downward only:

- `facts`: facts about a call that policies read.
- `provenance`: where the values of a call came from. `forms` finds values in texts and arguments.
- `payments`, `orders`, `requests`: what a text of the user pays, orders and asks for.
- `withdrawals`: what a message of the user takes back of his earlier orders.
- `programs`: what SQL, Cypher, shell and Python in arguments do.
- `sketches`: what a session was shown, as fingerprints.
- `kinds`: kinds of values and their canonical spellings. `argument_values` describes values for the behaviour score.
- `language`: words, patterns, normalization.

Start with `provenance.provenance` and `facts.facts`. docs/values.md defines the terms and the rules.
"""

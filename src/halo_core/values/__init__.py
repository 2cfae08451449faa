"""Values of a call: their kinds and canonical forms, where they came from, and whether the user asked for the call.

Input: the texts that a session was shown, and the arguments of a call. Output: the origin of each argument (the user,
a trusted lookup, nobody, an untrusted source) and facts such as `asked`, which policies read. All functions are pure
and count in integers.

    sketch                         # what the session has been shown: "Pay 20 euros to ana@x.example"
    trace_leaves(leaves, sketch)   # to="ana@x.example" comes from the user; to="eve@y.example" from nobody
    find_facts(...)                # the user asked for a payment

Start with `provenance` and `facts`. `forms` finds values in texts and arguments, in the canonical spellings of
`addresses` and `numbers`. `sketch` holds which words a session has been shown, and `spans` their order.
`decoded_readings` decodes what is hidden in a text. `argument_values`, `text` and `lexicon` describe values for the
behaviour score. docs/values.md defines the terms and the rules.
"""

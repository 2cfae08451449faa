"""Room: values, LangChain's made plain and plain ones put back. Takes: arguments, results. Gives: values, texts.

Never: decides, keeps anything.
"""

"""The doctor package."""

"""Recognition and redaction of secrets and personal data in texts and arguments."""

"""Answers to an auditor's questions: each says what it counted, of which period, and under which checkpoint.

`audit_log` reads and verifies a tenant's log; the modules `questions_*` hold the questions; `answers` defines the form
of an answer.
"""

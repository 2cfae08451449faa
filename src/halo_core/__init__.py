"""Halo: agents as privileged identities. The public face is filled in below."""

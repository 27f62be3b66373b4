"""Passages in, ranked candidates for each recommendation out; the lexicons are data."""

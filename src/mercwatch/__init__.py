"""Mercwatch: who governs the trade in hacking for hire."""

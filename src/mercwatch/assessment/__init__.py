"""How decisions add up: pure functions from entries to levels."""

"""From entries to scorecards: `assess` is the one way in."""

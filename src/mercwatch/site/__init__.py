"""The frame: settings and the commands that join the rooms."""

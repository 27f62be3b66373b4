"""What is known: entries that are only ever added, and the releases that bind them."""

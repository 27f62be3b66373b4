"""Sources: fetched, kept exactly as served, read into passages, and watched for change."""

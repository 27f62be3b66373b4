"""What the public sees: pages with data twins, downloads and feeds."""

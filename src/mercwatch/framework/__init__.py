"""What is asked: recommendations, indicators and levels, read from the codebook."""

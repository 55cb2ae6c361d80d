"""A news article in, proved claims out."""

"""Scorers: from an article with its gold and an answer to counts, and from counts to figures."""

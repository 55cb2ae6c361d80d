"""Article text: sentences, offsets and grounding. Pure functions."""

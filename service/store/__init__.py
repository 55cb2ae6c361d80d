"""Where what was worked out is kept for a while: one protocol, one module for each place."""

"""How much each tenant may ask for: what is allowed, what was used, and the ledger that keeps both apart for everyone."""

"""Chat models: the protocol, and one file per adapter."""

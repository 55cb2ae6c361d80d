"""The reading room: a page for people, served by the service itself."""

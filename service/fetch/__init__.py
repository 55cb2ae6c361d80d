"""Pages of articles, fetched from the web by their addresses."""

"""The flow from article to analysis, one step a module."""

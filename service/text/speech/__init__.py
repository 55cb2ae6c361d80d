"""Who says what in an article, found by rules: reporting verbs, quotation marks and the names beside them."""

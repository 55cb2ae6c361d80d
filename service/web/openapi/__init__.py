"""What the service takes and answers, as an OpenAPI document that is made from the code which does it."""

"""What made a model and what became of it: identity, registration, the served model."""

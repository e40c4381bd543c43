"""Whether everything that states a fact about the model states the same."""

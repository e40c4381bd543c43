"""What documents claim about the model in their own words, in every language of `consistency.prose.languages`."""

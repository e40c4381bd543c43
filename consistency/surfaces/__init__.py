"""Who states facts: a module for each kind of surface, with what puts it right where one answer is right."""

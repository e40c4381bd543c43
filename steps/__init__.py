"""ZenML steps: each one calls a package and says in which folder its result lies. They hand on folders."""

"""ZenML steps: each one calls a package and says where its result lies. They hand on paths and hashes."""

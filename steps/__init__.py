"""ZenML steps: each one calls a package and says where its result lies. Steps hand on paths and hashes, never payloads."""

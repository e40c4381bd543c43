"""Measurements of speed and of what training time buys. Each prints its table; see README.md for the figures."""

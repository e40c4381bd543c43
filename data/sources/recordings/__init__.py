"""Recordings of one's own, in whichever known way they are laid out with their texts."""

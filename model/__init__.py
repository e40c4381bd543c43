"""The voice cloner: network, losses, training, generation, vocoders, checkpoints. Knows nothing of where it is run."""

HEAD_DIM = 64
"""Width of every attention head."""

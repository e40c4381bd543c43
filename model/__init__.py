"""The voice cloner: network, losses, training, generation, vocoders, checkpoints. Knows nothing of where it is run."""

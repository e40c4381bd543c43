"""From recordings to training batches: corpora, text, log-mels, alignment."""

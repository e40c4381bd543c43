"""Past runs: what is known of them, making them again, and the verdict on what came out."""

"""How the steps hang together, and the console command."""

"""The verbs of the console command `myxtts`, a file each: its arguments, its job and what it prints."""

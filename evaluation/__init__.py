"""Listening to speech: what is heard, how good it sounds, how near it is to the recording, and a page of it."""

"""Recorded people in Debian's packages: every voice by the digest of each file that is used."""

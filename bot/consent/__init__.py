"""Consent as staff write it down, and its commands."""

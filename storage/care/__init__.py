"""Alerts, cases and work, and the answers they stand on."""

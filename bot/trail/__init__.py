"""Keeping and showing the audit; saying who acts and who looked."""

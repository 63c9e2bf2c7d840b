"""What it means: scales, growth, profile, triage, plans, change between waves; pure like flows."""

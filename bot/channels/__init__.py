"""The ways a person reaches us: one module a provider, found by scanning this folder."""

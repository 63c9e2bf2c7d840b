"""The dashboard: one module and one template a page, found by scanning this folder."""

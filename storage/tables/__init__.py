"""The tables, by what they are about. `storage.schema` gathers them."""

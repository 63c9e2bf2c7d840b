"""The life of a translation: how far it has come, sheets for reviewers, review, approval."""

"""Questionnaires, words and rules: read, checked, published, tried in the terminal."""

"""Programmes, schools, people, children: who is who."""

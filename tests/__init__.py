"""Tests, one folder a room; they mirror flows, scoring, storage and bot."""

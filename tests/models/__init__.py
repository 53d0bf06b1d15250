"""Tiny models for tests: real classes of transformers with few, redrawn weights, saved as real checkpoints."""

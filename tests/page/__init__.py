"""Tests of what stands around an article's text: byline, metadata, ways to cite it."""

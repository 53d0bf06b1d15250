"""Fanlight, a static-site generator for explorable articles about language models."""

__version__ = "0.1.0"

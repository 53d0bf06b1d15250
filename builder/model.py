"""`Model` and `Run`: all that an analysis may ask of a network."""

from __future__ import annotations

"""Tests of `builder/model`: what is read from a network is what the network computes, whatever its architecture."""

"""Tests of citing: BibTeX files, references and the list of them."""

"""What the articles of `site_corpus` are made of."""

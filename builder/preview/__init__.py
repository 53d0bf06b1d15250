"""The preview server: `state` is what it shows, `app` answers requests, `follow` rebuilds when files change."""

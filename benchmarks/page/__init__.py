"""The page in a browser: how soon it can be used, how smoothly it scrubs, and what watching costs."""

"""The page that shows a deck while it is written, and what builds it on every save."""

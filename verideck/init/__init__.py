"""`verideck init`: a folder becomes a deck project. What can be found out is not asked."""

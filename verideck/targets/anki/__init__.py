"""A deck into a learner's Anki: a running one, a closed collection, or Anki's own dialog."""

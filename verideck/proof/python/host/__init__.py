"""What runs in the warm parent and its workers. It executes nothing of an author's."""

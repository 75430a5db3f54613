"""What runs in the user's process, with the user's rights. It believes no report."""

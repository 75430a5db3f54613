"""What runs in the user's process, with the user's rights. It trusts no report."""

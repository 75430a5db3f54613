"""The messages between these processes: all that two sides import. Imports nothing of ours."""

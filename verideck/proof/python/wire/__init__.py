"""The messages between the processes of a proof, and all else that two of them import.

Imports nothing of verideck beside itself.
"""

"""A model of an author, who edits and builds, and of a learner, who studies and imports.

It keeps what should be: which card each card is to its author, what the packages say of it, and
what the learner makes of it. After each build and import it is compared with the real Anki.
"""

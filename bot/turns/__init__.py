"""The turn: everything that waits, taken in one transaction.

queue -> batch (lock, rounds, write) -> acts on one message -> what comes next -> judging -> commit.
"""

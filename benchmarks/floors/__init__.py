"""The best simple program for each job, without the SDK: what speed is compared with.

Each is a program of its own, started like the command that it stands beside. They promise nothing:
no retries, no checks, no state, no limit of calls, no window, no rejected rows.
"""

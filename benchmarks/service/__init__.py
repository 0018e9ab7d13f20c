"""A Totango that costs next to nothing: what is measured against it is the client.

It answers searches over made-up accounts, tracking calls and Integration Hub batches, counts what
arrives, and can be slow, refuse rows beyond a window, or hold to a limit of calls. It is no second
sandbox: it checks nothing and forgets what is written.
"""

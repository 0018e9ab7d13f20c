"""A local Totango: search, tracking and Integration Hub over SQLite, on loopback.

It is an independent reading of what is publicly known about Totango's HTTP APIs, made to disagree
with its clients: where the sources are silent, a switch decides
(:mod:`totango_sandbox.switches`), and the default is the documented answer, or else the one that
is hardest on a client. Faults on demand are rules (:mod:`totango_sandbox.faults`).

A request goes from ``server`` (socket, faults, token, rate limit) to the module of its surface in
``endpoints``. ``search`` runs searches, ``storage`` keeps all rows, and ``movement`` changes
some of them after each search call. ``service`` holds what one running sandbox is made of.
"""

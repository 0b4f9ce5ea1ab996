"""Decisions: from findings through a playbook or a person to what happens to each call.

    playbook.py     the file that maps findings to steps     planning.py   one finding -> decisions
    service.py      take, undo, extend, expire, release      appeals.py    open, answer, reinstate
    index.py        everything in force, in memory           guard.py      three calls for a gateway
    backtest.py     whom a playbook would have hit           http.py       the same over HTTP

Nothing is imported here: a gateway loads the index and not the service.
"""

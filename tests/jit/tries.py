"""Judging runs of a compiler that draws lots."""

TRIES = 3


def held(run, check):
    """Whether a run's log passes the check. LuaJIT draws lots when it retries what it could not compile, so
    one run in some hundred comes out otherwise; code that cannot be compiled fails every time."""
    for left in reversed(range(TRIES)):
        log = run()
        try:
            return check(log)
        except AssertionError:
            if not left:
                raise

"""Days of ticks against an org whose rows land late and change: at the end lake = source.

Belongs here: the real planner and the real lake against an org in this process (`org.py`), with
faults on the way (`faults.py`), and what has to hold at the end (`proof.py`). Does not: an org over
HTTP at full size (`benchmarks`), faults of single requests and file operations (`faults`).

    landing.py   when rows become visible and change, by section 4.4 of the Data 360 page
    org.py       the org: visibility at a clock, billing, a stale cache, queries in flight
    faults.py    the process that dies in the middle
    story.py     the ticks, in order
    proof.py     what is checked
    lives.py     one seed from its first tick to its proof, and what all seeds together have to meet
    __main__.py  more seeds than the suite lives
"""

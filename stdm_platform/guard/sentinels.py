"""The words that Data 360 serves for "no value".

Belongs here: the words that staging reads as null. Does not: reading them.
"""

from __future__ import annotations

NO_VALUE = ("", "None", "NOT_SET", "UNSET_VALUE")
"""Section 4.6 of the Data 360 page; the macro `null_if_sentinel` of the dbt models has the same."""

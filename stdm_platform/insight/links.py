"""Links from a row back to where Salesforce shows it.

Belongs here: addresses in the Salesforce UI. Does not: fetching anything, opening a browser.

Addresses are relative to the org's own host, because no trace names it. With `STDM_LOGIN_URL` set to the
org's My Domain they are whole. Every value in an address is encoded.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode, urlsplit

from stdm_platform.insight.served_values import known

MOMENT_PAGE = "/lightning/cmp/runtime_analytics_evf_aie__record"
"""Source: the address that Agent Analytics itself links a moment under (features page, seed 000)."""
MOMENT_TYPE = "2"
TIME_FILTER = "7"
LONGEST_TITLE = 80
ORG_HOSTS = (".my.salesforce.com", ".my.salesforce.mil", ".lightning.force.com")


def moment_url(
    moment_id: str, session_id: str, agent: str | None, title: str | None, *, host: str = ""
) -> str:
    """The page of a moment.

    >>> moment_url("m1", "s1", "Desk & Co", "What now?")
    '/lightning/cmp/runtime_analytics_evf_aie__record?c__id=m1&c__type=2&c__sessionId=s1&c__timeFilter=7&c__agentApiName=Desk%20%26%20Co&c__title=What%20now%3F'
    """
    said = {
        "c__id": moment_id,
        "c__type": MOMENT_TYPE,
        "c__sessionId": session_id,
        "c__timeFilter": TIME_FILTER,
        "c__agentApiName": agent or "",
        "c__title": (title or "")[:LONGEST_TITLE],
    }
    return f"{host}{MOMENT_PAGE}?{urlencode(said, quote_via=quote, safe='', errors='replace')}"


def record_url(record_id: str | None, *, host: str = "") -> str | None:
    """The page of a record, like the messaging session behind a session; None without an id.

    >>> record_url("0MwQy0000064c2fAAB"), record_url("NOT_SET")
    ('/lightning/r/0MwQy0000064c2fAAB/view', None)
    """
    record = known(record_id)
    if record is None or not record.isalnum() or not record.isascii():
        return None
    return f"{host}/lightning/r/{record}/view"


def org_host(login_url: str | None) -> str:
    """The org's own host, when the login URL is one; else nothing, and addresses stay relative.

    >>> org_host("https://acme.my.salesforce.com"), org_host("https://login.salesforce.com")
    ('https://acme.my.salesforce.com', '')
    """
    parts = urlsplit(login_url or "")
    host = (parts.hostname or "").lower()
    return f"https://{host}" if parts.scheme == "https" and host.endswith(ORG_HOSTS) else ""

"""The chart library that is embedded in pages, as its makers published it.

Belongs here: which file, of which version and licence, and that it is unchanged. Does not: charts.

Apache ECharts draws Sankey diagrams and lines as SVG, describes them to screen readers, and runs without
`eval`, so a page can forbid it. No package of PyPI ships the file and is kept as well, so it lies in `assets/`
with its licences. For another version take `dist/echarts.min.js`, `LICENSE`, `NOTICE` and the licences of d3
and zrender from the npm packages, and write version and hash here.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
ECHARTS = ASSETS / "echarts" / "echarts.min.js"
ECHARTS_VERSION = "6.1.0"
ECHARTS_SHA256 = "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0"


@cache
def chart_library() -> str:
    """The script of the chart library.

    Raises:
        RuntimeError: the file is not the one that was published.
    """
    content = ECHARTS.read_bytes()
    if hashlib.sha256(content).hexdigest() != ECHARTS_SHA256:
        raise RuntimeError(f"{ECHARTS} is not Apache ECharts {ECHARTS_VERSION} as published.")
    return content.decode()

"""Values that may stand in the lake and the marts, and nowhere else; and the search for them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stdm_platform.sandbox import SandboxHandle, running
from stdm_platform_tests.faults.world import options
from stdm_platform_tests.session_objects import SESSION_DMOS

TEXT = "kanarienvogel"
"""Stands in every column of sensitivity `text`, in valid JSON and in broken JSON."""
PASSPHRASE = "papagei-im-schluessel"
TOKENS = re.compile(rb"00D\w{9,15}![\w.-]{8}|eyJ[\w-]{10,}\.[\w-]{8}")
DATA = {".parquet", ".duckdb", ".wal"}
"""The lake, the marts and dbt's working file hold text by nature."""


@dataclass(frozen=True)
class PlantedOrg:
    """A sandbox org full of canaries, and the variables of a client whose secrets are known."""

    org: SandboxHandle
    variables: dict[str, str]

    def secrets(self) -> list[bytes]:
        """What nothing may show."""
        pem = self.variables["STDM_PRIVATE_KEY"].splitlines()
        return [
            TEXT.encode(),
            PASSPHRASE.encode(),
            self.variables["STDM_CONSUMER_KEY"].encode(),
            self.org.client_secret().encode(),
            *(line.encode() for line in pem[2:-2]),
        ]

    def found_in(self, content: bytes | str) -> list[str]:
        """The canaries in one text."""
        content = content.encode() if isinstance(content, str) else content
        found = [secret.decode() for secret in self.secrets() if secret in content]
        return found + [match.decode() for match in TOKENS.findall(content)]

    def found_under(self, folders: Iterable[Path]) -> list[tuple[str, str]]:
        """The canaries in all files but data, and in all names."""
        found = []
        for folder in folders:
            for path in folder.rglob("*"):
                found += [(str(path), canary) for canary in self.found_in(path.name)]
                if path.is_file() and not path.is_symlink() and path.suffix not in DATA:
                    found += [(str(path), canary) for canary in self.found_in(path.read_bytes())]
        return found


@contextmanager
def planted_org(folder: Path) -> Iterator[PlantedOrg]:
    """An org whose app knows a key with a passphrase, and whose texts all hold the canary."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-days",
            "2",
            "-subj",
            "/CN=canary",
            "-keyout",
            str(key),
            "-out",
            str(certificate),
            "-passout",
            f"pass:{PASSPHRASE}",
        ],
        check=True,
        capture_output=True,
    )
    with running(options(folder / "org", cert=certificate)) as org:
        for dmo in SESSION_DMOS:
            for column in dmo.columns:
                if column.sensitivity == "text":
                    org.execute(_planted(dmo.objects[0], column.source))
        variables = {
            **org.env,
            "STDM_PRIVATE_KEY": key.read_text(),
            "STDM_PRIVATE_KEY_PASSPHRASE": PASSPHRASE,
        }
        variables.pop("STDM_PRIVATE_KEY_FILE", None)
        yield PlantedOrg(org, variables)


def _planted(table: str, column: str) -> str:
    """JSON objects stay JSON objects, but for one row in 50; other texts begin with the canary."""
    return f"""
        UPDATE "{table}" SET "{column}" = CASE
            WHEN hash("ssot__Id__c") % 50 = 0 THEN '{{"{TEXT}": "broken ''{TEXT}'
            WHEN "{column}" LIKE '{{"%' THEN '{{"{TEXT}": "{TEXT}", ' || substr("{column}", 2)
            ELSE '{TEXT} | ' || coalesce("{column}", '') END
    """

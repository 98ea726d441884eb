"""Imports of records within a test, as ``accounts import`` takes them."""

import json
from typing import Any

from accountsapp.domain.transfer.importing import Importer
from accountsapp.domain.transfer.lines import Counts
from accountsapp.process import Process

Refused = list[tuple[int, str]]
"""Numbers of lines, and what is wrong with them."""


def import_records(
    stores: Process, *records: dict[str, Any], update_existing: bool = False
) -> tuple[list[Counts], Refused]:
    """Take records as one file.

    :returns: the counts after each part, and what was refused
    """
    refused: Refused = []
    importer = Importer(
        stores.database.write,
        stores.keyring,
        stores.passwords,
        lambda line, text: refused.append((line, text)),
        most_keys=20,
        update_existing=update_existing,
    )
    lines = enumerate((json.dumps(record).encode() for record in records), 1)
    return list(importer.run(lines)), refused

"""Processes that are forked from one that has imported everything, so that a start takes milliseconds.

What a process makes for itself, engines, threads and secrets, it makes after the fork. A Python process has
one fork server: whoever names other imports for it takes these away.
"""

import multiprocessing
import pkgutil
from multiprocessing.context import ForkServerContext

import accountsapp

FORKS: ForkServerContext = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        *(
            module.name
            for module in pkgutil.walk_packages(accountsapp.__path__, "accountsapp.")
            if not module.name.startswith(("accountsapp.migrations.", "accountsapp.testing."))
        ),
        "tests.support.killing",
        "tests.support.processes",
        "tests.support.servers",
        "tests.support.stuck",
    ]
)

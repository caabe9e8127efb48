"""Where databases that are thrown away lie: in memory, if the system has room for them there.

Tests make and drop hundreds of databases, and wait for a disk longer than for anything else.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108  (files in it get unguessable names, as in /tmp)
ROOM = 2 * 1024**3
"""What must be free: containers often have 64 MB there, and each test process has a server."""


def scratch_folder() -> Path | None:
    """Give the folder to make temporary folders in; None is the system's own.

    TMPDIR, if somebody has set it, is obeyed.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return None
    if os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:  # PostgreSQL may have to be copied there
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free >= ROOM else None

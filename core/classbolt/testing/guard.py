"""Keep a server running for as long as somebody holds our standard input open.

A test process can end without a chance to clean up. However it ends, the system closes its end
of the pipe: then the server is stopped and its folder removed, and nothing is left behind. This
file is run by path, as a process of its own that imports nothing of ours.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading


def main(folder: str, user: str, group: str, *command: str) -> int:
    """Run the command; when standard input ends, stop it and remove the folder."""
    drop: dict[str, int | list[int]] = {}
    if user:
        drop = {"user": int(user), "group": int(group), "extra_groups": []}
    server = subprocess.Popen(command, cwd=folder, **drop)  # type: ignore[call-overload]  # noqa: S603
    left = threading.Event()

    def wait_until_left() -> None:
        sys.stdin.buffer.read()
        left.set()
        server.send_signal(signal.SIGQUIT)  # at once: none of its data is wanted any more

    threading.Thread(target=wait_until_left, daemon=True).start()
    code: int = server.wait()
    if left.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

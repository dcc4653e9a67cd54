"""The folder that a job may write to, if it was given any. The kernel treats it as hostile."""

from __future__ import annotations

import os

ENTRY_BYTES = 1 << 16


def used_bytes(folder: str) -> int:
    """Bytes in use, where each entry counts 64 KiB more: a thousand empty files weigh as much as 64 MiB."""
    total = 0
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    facts = entry.stat(follow_symlinks=False)
                    total += ENTRY_BYTES + facts.st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError:
            continue  # it is being changed while we look
    return total

"""One file of the journal, which one process at a time has to itself."""

from __future__ import annotations

import errno
import mmap
import os
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from features.durable import sync
from serving.journal.frames import HEADER_BYTES, Found, frame, header, scan

try:
    import fcntl
except ImportError:  # pragma: no cover # Windows
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".journal"
DAMAGED = ".damaged"
_TRIES = 100


class Segment:
    """A file of records that are appended and never changed.

    The lock on it ends with the process that holds it, however that ends. Made by ``make`` or ``adopt``.
    """

    def __init__(self, path: Path, descriptor: int, found: Found | None) -> None:
        self.path = path
        self._descriptor = descriptor
        self._start = os.pread(descriptor, HEADER_BYTES, 0)
        self.places: list[tuple[int, int]] = [] if found is None else list(found.places)
        """(offset, length) of each record."""
        self.bytes = os.fstat(descriptor).st_size
        self.was_adopted = found is not None
        """Whether another process made it."""
        self.may_grow = found is None
        """Whether records may be appended: only to what this process made, and not after a failure."""
        self.is_sound = found is None or not (found.damaged or found.is_torn)
        """Whether every byte of it was read."""

    @classmethod
    def make(cls, folder: Path) -> Segment:
        """Make a new file in a folder.

        Raises
        ------
        OSError
            Where there is no room, or the folder cannot be written to.
        """
        for _ in range(_TRIES):
            # Names rise with time, so that what was left behind is taken up in its order.
            path = folder / f"{_rising()}-{secrets.token_hex(4)}{SUFFIX}"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                # Somebody who looks for files left behind may be faster than the lock, and removes what is empty.
                if _is_ours(descriptor, path):
                    os.write(descriptor, header())
                    os.fsync(descriptor)
                    sync(folder)
                    return cls(path, descriptor, None)
            except BaseException:
                os.close(descriptor)
                path.unlink(missing_ok=True)
                raise
            os.close(descriptor)
        # With a number of its own, because only then is there a reason that can be shown.
        raise OSError(errno.EBUSY, f"each of {_TRIES} new files was taken by another process", str(folder))

    @classmethod
    def adopt(cls, path: Path) -> Segment | None:
        """Take a file over whose process is gone; None where it is somebody's, or gone itself.

        Raises
        ------
        OSError
            Where it cannot be read.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            if _is_ours(descriptor, path):
                return cls(path, descriptor, _scanned(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    def append(self, records: Sequence[bytes]) -> None:
        """Append records, all of them or none; on the disk when this returns.

        Raises
        ------
        OSError
            Where there is no room or the disk failed; then nothing more may be appended to this file.
        """
        places, at, frames = [], self.bytes, []
        for number, record in enumerate(records, start=len(self.places)):
            frames.append(frame(self._start, number, record))
            at += len(frames[-1])
            places.append((at - len(record), len(record)))
        try:
            _write_all(self._descriptor, b"".join(frames), self.bytes)
            os.fdatasync(self._descriptor)
        except OSError:
            # After a failed write nobody knows what the disk holds; what was acknowledged lies before it.
            self.may_grow = False
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.bytes)
            raise
        self.places += places
        self.bytes = at

    def read(self, number: int) -> bytes:
        """Return a record by its number."""
        at, length = self.places[number]
        return os.pread(self._descriptor, length, at)

    def remove(self) -> None:
        """Remove the file; one of which not everything could be read is kept aside for a person to look at."""
        with suppress(FileNotFoundError):
            if self.is_sound:
                self.path.unlink()
            else:
                self.path.rename(self.path.with_suffix(DAMAGED))
        self.close()

    def close(self) -> None:
        """Let go of the file, for whoever comes next."""
        os.close(self._descriptor)


def left_behind(folder: Path) -> list[Path]:
    """Return the files in a folder that may be somebody's, the oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def _rising() -> str:
    return f"{time.time_ns():020d}"


def _is_ours(descriptor: int, path: Path) -> bool:
    """Lock a file; says whether that succeeded, and the file is still the one of that name."""
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _scanned(descriptor: int) -> Found:
    if os.fstat(descriptor).st_size == 0:
        return scan(b"")
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data:
        view = memoryview(data)
        try:
            return scan(view)
        finally:
            view.release()


def _write_all(descriptor: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        done = os.pwrite(descriptor, view, at)
        view, at = view[done:], at + done

"""Writing a file: it appears whole, or the file of before stays.

What is written goes to a temporary file in the same folder, from there to the disk, and is then moved to its place,
which is one step for whoever looks. Temporary files have random names, so any number of threads, processes and hosts
may write to one place; who ends last wins.

What a killed writer left behind is removed by the next one in that folder. That a writer is still at work is seen by
its lock, which the system takes from the dead. Not every disk that hosts share tells them of each other's locks, so a
file of another host must also have been left alone for an hour, by that disk's clock.
"""

import errno
import os
import platform
import re
import secrets
import shutil
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_NAME = re.compile(r"\.gradcircuit-(?P<host>[0-9a-f]{8})-[0-9a-f]{16}")  # short, however long the file's own name is
_HOUR = 3600
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFIFO: "a pipe",
          stat.S_IFSOCK: "a socket"}


@contextmanager
def replacing(f: str | os.PathLike) -> Iterator[BinaryIO]:
    """A file to write to; when the with block ends, it takes the place of `f`, or, after an exception, vanishes.

    It gets the mode, the attributes and, where the system permits it, the owner of the file it replaces. A symbolic
    link stays, and what it points to is replaced. A hard link to the old file keeps the old content, since two names
    cannot change in one step.

    Raises:
        OSError: `f` is a folder, a device, a pipe or a socket; or the system refuses to write (disk full, no
            permission for the folder). What was there is untouched.
    """
    there = regular(f)
    path = Path(os.path.realpath(os.fsdecode(f)))
    try:
        file = _beside(path.parent, 0o666 if there is None else 0o600)  # it may be secret: opened up at the end
        try:
            with file:
                _remove_abandoned(file)
                yield file
                file.flush()
                os.fsync(file.fileno())
                if there is not None:
                    _make_alike(path, there, file.name)
                if os.name == "nt":  # cannot move what is open; elsewhere the lock is held to the end
                    file.close()
                os.replace(file.name, path)
        finally:
            with suppress(OSError):  # usually it is gone
                os.unlink(file.name)
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror or error}; what was there is untouched (a new file is made in its "
                      "folder, and then moved to its place)", str(path)) from error
    _sync_folder(path.parent)


def regular(f: str | os.PathLike) -> os.stat_result | None:
    """What the system knows about the file `f`, None if there is none; anything but a file is refused.

    Raises:
        OSError: it is a folder, a device, a pipe or a socket.
    """
    name = os.fsdecode(f)
    if not os.path.basename(name):
        raise IsADirectoryError(errno.EISDIR, "give the path of a file, not of its folder", name)
    try:
        there = os.stat(name)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(there.st_mode):
        kind = _KINDS.get(stat.S_IFMT(there.st_mode), "something else")
        raise OSError(errno.EISDIR if stat.S_ISDIR(there.st_mode) else errno.EINVAL,
                      f"this is {kind}; give the path of a file", name)
    return there


def _beside(folder: Path, mode: int) -> BinaryIO:
    """A new file in the folder, locked."""
    while True:
        name = folder / f".gradcircuit-{_host()}-{secrets.token_hex(8)}"
        file = open(name, "xb", opener=lambda name, flags: os.open(name, flags, mode))  # noqa: SIM115
        if _lock(file.fileno()) is not False and os.path.lexists(name):
            return file
        file.close()  # somebody took it, in the moment before the lock, for abandoned


def _lock(handle: int) -> bool | None:
    """Whether the file is ours now; None if that cannot be known here."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    except (OSError, AttributeError):  # a disk, or a system, without locks
        return None


def _remove_abandoned(own: BinaryIO) -> None:
    """Remove the temporary files of killed writers from the folder of a new one; as far as that is permitted."""
    now = os.fstat(own.fileno()).st_mtime
    with suppress(OSError), os.scandir(os.path.dirname(own.name)) as entries:
        for entry in entries:
            if not (match := _NAME.fullmatch(entry.name)) or entry.path == own.name:
                continue
            with suppress(OSError):
                handle = os.open(entry.path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
                try:
                    locked = _lock(handle)
                    if (locked and match["host"] == _host()) or (
                            locked is not False and now - os.fstat(handle).st_mtime > _HOUR):
                        os.unlink(entry.path)
                finally:
                    os.close(handle)


def _host() -> str:
    return f"{zlib.crc32(platform.node().encode()):08x}"


def _make_alike(old: Path, there: os.stat_result, new: str) -> None:
    if hasattr(os, "chown"):
        for owner, group in ((-1, there.st_gid), (there.st_uid, -1)):
            with suppress(OSError):
                os.chown(new, owner, group)
    with suppress(PermissionError, FileNotFoundError):
        shutil.copystat(old, new)  # after chown, which takes special modes away
    os.utime(new)  # it is not as old


def _sync_folder(folder: Path) -> None:
    """Let the move outlast a power failure, too; Windows cannot open folders."""
    if os.name == "posix":
        with suppress(PermissionError):  # of a folder that may be written to but not read
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

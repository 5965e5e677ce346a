"""Files that the packages write appear whole or the old one stays, whoever else writes, whatever is at the path."""

import errno
import os
import platform
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
import viz
from autograd.runtime import files

posix = pytest.mark.skipif(os.name != "posix", reason="modes, owners, links, locks")
root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root changes owners")


def write(path, content=b"new"):
    with files.replacing(path) as file:
        file.write(content)


def checkpoint(path):
    pytest.importorskip("safetensors")
    nn.save({"weight": np.arange(3)}, path)


def drawing(path):
    viz.draw(autograd.tensor(2.0, requires_grad=True) * 3).save(path)


def trace(path):
    with autograd.profile() as profile:
        autograd.ones(2).exp()
    profile.export_chrome_trace(path)


every_writer = pytest.mark.parametrize("writer", [write, checkpoint, drawing, trace], ids=lambda f: f.__name__)


@pytest.fixture
def path(tmp_path):
    """A file with old content, alone in its folder."""
    path = tmp_path / "folder" / "m.svg"
    path.parent.mkdir()
    path.write_bytes(b"old")
    return path


def is_untouched(path):
    return path.read_bytes() == b"old" and os.listdir(path.parent) == [path.name]


def a_leftover(folder, host=None):
    """The temporary file of a writer that is no more."""
    leftover = folder / f".gradcircuit-{host or files._host()}-{'0' * 16}"
    leftover.write_bytes(b"half")
    return leftover


@every_writer
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left"), MemoryError()])
@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file(path, writer, moment, error, monkeypatch):
    def failing(*args):
        raise error
    monkeypatch.setattr(os, moment, failing)
    with pytest.raises(type(error)):
        writer(path)
    monkeypatch.undo()
    assert is_untouched(path)
    writer(path)
    assert path.read_bytes() != b"old"
    assert os.listdir(path.parent) == [path.name]


@every_writer
@posix
def test_what_is_no_file_is_refused(path, writer, monkeypatch):
    folder = path.parent
    monkeypatch.chdir(folder)  # a socket's name must be short
    (folder / "folder.svg").mkdir()
    os.mkfifo(folder / "pipe.svg")
    (folder / "device.svg").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.svg")
        for kind in ("folder", "pipe", "device", "socket"):
            with pytest.raises(OSError, match=f"{kind}.*give the path of a file") as raised:
                writer(folder / f"{kind}.svg")
            assert raised.value.filename == f"{folder}/{kind}.svg"
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert stat.S_ISFIFO((folder / "pipe.svg").stat().st_mode)
    assert stat.S_ISSOCK((folder / "socket.svg").stat().st_mode)
    assert len(os.listdir(folder)) == 5


@every_writer
@posix
def test_no_room(path, writer):
    import resource
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2, limits[1]))
    try:
        with pytest.raises(OSError, match=r"what was there is untouched.*m\.svg"):
            writer(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert is_untouched(path)


@pytest.mark.parametrize("name", ["", "missing/m", "m/m", "folder/"])
def test_a_path_that_cannot_be(path, name, monkeypatch):
    monkeypatch.chdir(path.parent)
    os.rename("m.svg", "m")
    with pytest.raises(OSError):
        write(name)
    assert Path("m").read_bytes() == b"old"
    assert os.listdir() == ["m"]


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400, 0o664, 0o755])
@pytest.mark.parametrize("umask", [0o022, 0o077, 0])
def test_the_mode_of_a_file_is_kept_and_a_new_one_has_the_usual_mode(path, mode, umask, monkeypatch):
    path.chmod(mode)
    seen, fsync = [], os.fsync

    def watched(handle):
        seen.append(os.fstat(handle))
        fsync(handle)
    monkeypatch.setattr(os, "fsync", watched)
    before = os.umask(umask)
    try:
        write(path)
        write(path.with_name("new"))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert stat.S_IMODE(path.with_name("new").stat().st_mode) == 0o666 & ~umask
    assert stat.S_IMODE(seen[0].st_mode) & 0o077 == 0  # what replaces a secret is one from the first byte on


@posix
def test_a_replaced_file_is_as_young_as_its_content(path):
    os.utime(path, (0, 0))
    write(path)
    assert path.stat().st_mtime > 1e9


@posix
@root
def test_the_owner_is_kept(path):
    os.chown(path, 1234, 4321)
    path.chmod(0o4750)
    write(path)
    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1234, 4321, 0o4750)


@contextmanager
def somebody_else():
    """A folder of somebody who isn't root, who is at work meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            os.seteuid(0)


@posix
@root
def test_without_the_right_to_change_owners_the_file_is_replaced_all_the_same():
    with somebody_else() as folder:
        path = folder / "m"
        path.write_bytes(b"old")
        os.seteuid(0)
        os.chown(path, 0, 0)
        path.chmod(0o604)
        os.seteuid(65534)
        write(path)
        assert path.read_bytes() == b"new"
        assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (65534, 0o604)


@posix
@root
def test_a_folder_that_may_not_be_written_to_and_one_that_may_not_be_read():
    with somebody_else() as folder:
        path = folder / "m"
        write(path, b"old")
        folder.chmod(0o500)
        with pytest.raises(PermissionError, match=r"what was there is untouched \(a new file is made in its folder"):
            write(path)
        folder.chmod(0o300)
        write(path.with_name("other"))
        folder.chmod(0o700)
        assert path.read_bytes() == b"old"
        assert sorted(os.listdir(folder)) == ["m", "other"]


@posix
def test_links(path):
    folder = path.parent
    (folder / "sub").mkdir()
    (folder / "sub" / "relative").symlink_to("../m.svg")
    (folder / "chain").symlink_to(folder / "sub" / "relative")
    os.link(path, folder / "hard")
    write(folder / "chain")
    assert path.read_bytes() == b"new"
    assert not path.is_symlink()
    assert (folder / "chain").is_symlink()
    assert (folder / "sub" / "relative").is_symlink()
    assert (folder / "hard").read_bytes() == b"old"  # two names cannot change in one step
    (folder / "dangling").symlink_to(folder / "sub" / "target")
    write(folder / "dangling")
    assert (folder / "dangling").is_symlink()
    assert (folder / "sub" / "target").read_bytes() == b"new"
    (folder / "loop").symlink_to(folder / "loop")
    with pytest.raises(OSError, match="loop"):
        write(folder / "loop")
    assert (folder / "loop").is_symlink()


@every_writer
def test_names_may_be_as_long_as_the_disk_allows(path, writer):
    for name in ("n" * 251 + ".svg", "ü" * 125 + "n.svg", ".svg.svg", "with\nnewline.svg"):
        writer(path.with_name(name))
        assert path.with_name(name).exists()
    assert len(os.listdir(path.parent)) == 5


def test_every_kind_of_path(path):
    for kind in (str, os.fsencode, Path):
        write(kind(path), kind.__name__.encode())
        assert path.read_bytes() == kind.__name__.encode()
    for wrong in (3, None, sys.stdout):
        with pytest.raises(TypeError):
            write(wrong)


@posix
def test_what_a_killed_writer_left_behind_is_removed_by_the_next(path):
    program = """
        import os, signal, sys
        from autograd.runtime import files
        with files.replacing(sys.argv[1]) as file:
            file.write(b"half")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    """
    for _ in range(2):
        subprocess.run([sys.executable, "-c", textwrap.dedent(program), path], check=False,
                       cwd=Path(files.__file__).parents[2])
    assert len(os.listdir(path.parent)) == 2  # the second removed what the first had left
    assert path.read_bytes() == b"old"
    write(path.with_name("another"))
    assert sorted(os.listdir(path.parent)) == ["another", "m.svg"]


@posix
def test_what_a_living_writer_is_at_work_on_is_left_alone(path):
    with files.replacing(path) as slow:
        slow.write(b"slow")
        os.utime(slow.name, (0, 0))  # however long it takes
        write(path, b"quick")
        thread = threading.Thread(target=write, args=(path,))
        thread.start()
        thread.join()
        assert path.read_bytes() == b"new"
    assert path.read_bytes() == b"slow"
    assert os.listdir(path.parent) == [path.name]


@posix
@pytest.mark.parametrize("lock", [files._lock, lambda handle: None], ids=["locks", "a disk without locks"])
def test_what_another_host_may_be_at_work_on_is_left_alone_for_an_hour(path, lock, monkeypatch):
    monkeypatch.setattr(files, "_lock", lock)
    leftover = a_leftover(path.parent, "0123abcd")
    write(path)
    assert leftover.exists()
    os.utime(leftover, (os.stat(leftover).st_mtime - 3700,) * 2)
    write(path)
    assert not leftover.exists()


@posix
def test_of_another_host_is_who_has_another_name(path, monkeypatch):
    leftover = a_leftover(path.parent)
    monkeypatch.setattr(platform, "node", lambda: "elsewhere")
    write(path)
    assert leftover.exists()
    monkeypatch.undo()
    write(path)
    assert not leftover.exists()


@posix
def test_a_new_file_that_is_taken_for_abandoned_is_made_once_more(path, monkeypatch):
    lock, taken = files._lock, []

    def late(handle):
        if not taken:
            taken.extend(path.parent.glob(".gradcircuit*"))
            taken[0].unlink()
        return lock(handle)
    monkeypatch.setattr(files, "_lock", late)
    write(path)
    assert path.read_bytes() == b"new"
    assert len(taken) == 1


def test_names_that_only_look_alike_are_not_removed(path):
    others = [".gradcircuit", f".gradcircuit-{files._host()}-mine", f".gradcircuit-{files._host()}-{'0' * 17}"]
    for name in others:
        path.with_name(name).write_text("")
    path.with_name(f".gradcircuit-{files._host()}-{'f' * 16}").mkdir()
    write(path)
    assert len(os.listdir(path.parent)) == 5


def test_threads_write_to_one_path_and_readers_see_whole_files(path):
    def work(number):
        for _ in range(20):
            write(path, bytes([number]) * 5000)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        content = path.read_bytes()
        assert content == b"old" or (len(content) == 5000 and len(set(content)) == 1)
    assert os.listdir(path.parent) == [path.name]

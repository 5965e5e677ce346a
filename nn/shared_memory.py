"""Messages between processes, whose arrays are handed over in shared memory and not copied.

An array's memory is a file without a name (a block): the sender maps it and fills it, its file descriptor goes through
a socket, the receiver maps it too. The kernel frees a block when no process maps it any more and no message holds it,
so it lives as long as the receiver's array, and nothing is left over, however a process ends.
"""

import math
import mmap
import os
import pickle
import socket
import struct
import tempfile
import weakref
from typing import Any

import numpy as np

AVAILABLE = hasattr(socket, "send_fds")
"""Whether this system passes file descriptors between processes (Windows does not)."""
SMALL = 16 << 10
"""Arrays of fewer bytes are copied into the message: quicker than making a block."""
MESSAGE = 64 << 10
"""The longest message in bytes; a longer one is put into a block as well."""
MAPPED = 256
"""How many blocks a process may keep mapped. Each keeps a file descriptor, of which a process has some thousand: what
is received beyond that, by one who hoards batches, is copied into ordinary memory."""

_HEADER = struct.Struct("=II")  # the message's bytes, and how many blocks follow
_mapped: "weakref.WeakSet[mmap.mmap]" = weakref.WeakSet()


class Blocks:
    """The shared memory of one message; closing it leaves the mapped arrays and the message as they are."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[np.ndarray, int]] = {}  # address: the array there, its file

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array, its values not set, in a block of its own."""
        dtype = np.dtype(dtype)
        size = math.prod(shape) * dtype.itemsize
        if size < SMALL or dtype.hasobject:
            return np.empty(shape, dtype)
        file = _nameless_file()
        try:
            os.ftruncate(file, size)
            array = np.frombuffer(mmap.mmap(file, size), dtype).reshape(shape)
        except BaseException:
            os.close(file)
            raise
        self._made[_address(array)] = array, file
        return array

    def dump(self, value: Any) -> tuple[bytes, list[int]]:
        """A value as a message and the files of its blocks. Arrays that are not in shared memory are copied there."""
        files: list[int] = []

        def share(memory: memoryview | bytes) -> None:
            source = np.frombuffer(memory, np.uint8)
            shared, file = self._made.get(_address(source), (None, -1))
            if shared is None or shared.nbytes != source.nbytes:
                shared = self.empty(source.shape, np.uint8)
                shared[...] = source
                file = self._made[_address(shared)][1]
            files.append(file)

        def in_message(buffer: pickle.PickleBuffer) -> bool:
            memory = buffer.raw()
            if memory.nbytes >= SMALL:
                share(memory)
            return memory.nbytes < SMALL

        message = pickle.dumps(value, 5, buffer_callback=in_message)
        if len(message) > MESSAGE:
            share(message)
            message = b""
        return message, files

    def close(self) -> None:
        """Give up what this process needs to send the blocks."""
        while self._made:
            os.close(self._made.popitem()[1][1])

    def __enter__(self) -> "Blocks":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def send(channel: socket.socket, message: bytes, files: list[int]) -> None:
    """Send what `Blocks.dump` gave."""
    channel.sendall(_HEADER.pack(len(message), len(files)) + message)
    for file in files:
        socket.send_fds(channel, [b"\0"], [file])


def receive(channel: socket.socket) -> Any:
    """The next value that was sent; EOFError if the other side has closed the channel."""
    length, count = _HEADER.unpack(_exactly(channel, _HEADER.size))
    message = _exactly(channel, length)
    buffers = [_received_block(channel) for _ in range(count)]
    return pickle.loads(message or buffers.pop(), buffers=buffers)


def _received_block(channel: socket.socket) -> Any:
    _, files, _, _ = socket.recv_fds(channel, 1, 1)
    if not files:
        raise EOFError
    try:
        # populated at once, which takes half the time of page by page (a flag of Linux)
        block = mmap.mmap(files[0], 0, flags=mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0))
    finally:
        os.close(files[0])
    if len(_mapped) >= MAPPED:
        return bytearray(block)
    _mapped.add(block)
    return block


def _exactly(channel: socket.socket, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = channel.recv(length - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def _nameless_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("batch")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]

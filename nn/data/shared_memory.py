"""Messages between processes, whose arrays are handed over in shared memory and not copied.

An array's memory is a file without a name (a block): the sender maps it and fills it, its file descriptor goes through
a socket, the receiver maps it too. When the receiver's array is gone the sender may use the block again. The kernel
frees a block that no process has any more and no message holds, so nothing is left over, however a process ends.
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
_IN_USE, _FREE = 1, 0  # a block's last byte


class _Mapped(mmap.mmap):
    """A received block; its end tells the sender, who keeps it mapped, that it may be used again."""

    def __del__(self) -> None:
        self[-1] = _FREE


_mapped: "weakref.WeakSet[_Mapped]" = weakref.WeakSet()


class _Block:
    """A block as its sender has it."""

    def __init__(self, size: int) -> None:
        self.size, self.file = size, _nameless_file()
        try:
            os.ftruncate(self.file, size + 1)
            self.memory = mmap.mmap(self.file, size + 1)
        except BaseException:
            self.close()
            raise
        self._array: Any = lambda: None

    def array(self, message: int) -> np.ndarray:
        """Its bytes, to be written for a message."""
        array = np.frombuffer(self.memory, np.uint8, self.size)
        self.message, self.address, self._array = message, _address(array), weakref.ref(array)
        return array

    def holds(self, array: np.ndarray, message: int) -> bool:
        """Whether these are its bytes for this message, and not yet sent: only one receiver can say that it is free."""
        return (message, _FREE, self.size, self.address) == (
            self.message, self.memory[-1], array.size, _address(array))

    def is_free(self) -> bool:
        """Whether nobody sees it any more: neither the receiver, nor an array or a view of one here."""
        return self.memory[-1] == _FREE and self._array() is None

    def close(self) -> None:
        os.close(self.file)


class Blocks:
    """The blocks that a process sends.

    New memory takes the kernel longer than the copying of an array, so those that are free again are used again.

    Args:
        keep: for how many messages a block is kept to be used again.
    """

    def __init__(self, keep: int = 0) -> None:
        self.keep, self._message = keep, 0
        self._blocks: list[_Block] = []

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array for the next message, its values not set: in a block of its own if it is large."""
        dtype = np.dtype(dtype)
        size = math.prod(shape) * dtype.itemsize
        if size < SMALL or dtype.hasobject:
            return np.empty(shape, dtype)
        return self._block(size).array(self._message).view(dtype).reshape(shape)

    def _block(self, size: int) -> _Block:
        for block in self._blocks:
            if block.size == size and block.message < self._message and block.is_free():
                return block
        self._blocks.append(_Block(size))
        return self._blocks[-1]

    def dump(self, value: Any) -> tuple[bytes, list[int]]:
        """A value as a message and the files of its blocks. Arrays that are not in shared memory are copied there."""
        files: list[int] = []

        def share(memory: memoryview | bytes) -> None:
            source = np.frombuffer(memory, np.uint8)
            for block in self._blocks:
                if block.holds(source, self._message):
                    break
            else:
                block = self._block(source.size)
                block.array(self._message)[...] = source
            block.memory[-1] = _IN_USE
            files.append(block.file)

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

    def end_message(self) -> None:
        """Go on to the next message; blocks that have long not been used are given up."""
        self._message += 1
        old = [block for block in self._blocks if block.message < self._message - self.keep]
        self._blocks = [block for block in self._blocks if block not in old]
        for block in old:
            block.close()


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
        block = _Mapped(files[0], 0)
    finally:
        os.close(files[0])
    if len(_mapped) >= MAPPED:
        return bytearray(block[:-1])
    _mapped.add(block)
    return memoryview(block)[:-1]


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

"""TensorBoard's files, read by TensorBoard where it is installed, and by a reader of the format here."""

import struct

import numpy as np
import pytest

from viz.training import events
from viz.training.sampling import Distribution, describe

WAVE = describe([np.sin(np.arange(100.0))])[0]


def content():
    return events.version() + events.event(0, [("loss", 2.5)], [("weights/a", WAVE)]) + events.event(
        300, [("loss", float("nan")), ("müde/ψ", -1e-3)])


def test_the_checksum_is_that_of_the_standard():
    """The vectors of RFC 3720, appendix B.4."""
    assert events.crc32c(bytes(32)) == 0x8A9136AA
    assert events.crc32c(b"\xff" * 32) == 0x62A8AB43
    assert events.crc32c(bytes(range(32))) == 0x46DD794E


def test_records_follow_each_other_and_fill_the_file():
    data, lengths = content(), []
    while data:
        [length] = struct.unpack("<Q", data[:8])
        lengths.append(length)
        assert len(data) >= length + 16
        data = data[length + 16:]
    assert len(lengths) == 3


def test_tensorboard_reads_them(tmp_path):
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    path = tmp_path / "events.out.tfevents.0.test"
    path.write_bytes(content())
    first, second, third = loader.RawEventFileLoader(str(path)).Load()
    from tensorboard.compat.proto.event_pb2 import Event
    first, second, third = map(Event.FromString, (first, second, third))
    assert first.file_version == "brain.Event:2" and (second.step, third.step) == (0, 300)
    loss, weights = second.summary.value
    assert (loss.tag, loss.simple_value) == ("loss", 2.5)
    assert isinstance(WAVE, Distribution) and weights.histo.min == WAVE.low and weights.histo.max == WAVE.high
    assert list(weights.histo.bucket) == [int(bar) for bar in WAVE.bars]
    assert weights.histo.bucket_limit[-1] == pytest.approx(WAVE.high)
    assert np.isnan(third.summary.value[0].simple_value) and third.summary.value[1].tag == "müde/ψ"

"""What the gallery's pretrained networks say is what their own packages say."""

import importlib
import re
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import autograd
from autograd import Tensor
from examples import data, networks


def example(name):
    pytest.importorskip("matplotlib")
    return importlib.import_module(f"examples.13_beyond.{name}")


def has(package, path):
    try:
        return data.package_file(package, path)
    except ModuleNotFoundError:
        pytest.skip(f"{package} is not installed")


def nms(torch):
    """torchvision.ops.boxes.batched_nms, for where torchvision isn't installed: its definition, on one group."""
    def batched_nms(boxes, scores, groups, threshold):
        assert not groups.any()
        kept = []
        for k in scores.argsort(descending=True).tolist():
            def area(box):
                return (box[..., 2] - box[..., 0]) * (box[..., 3] - box[..., 1])
            others = boxes[torch.tensor(kept, dtype=torch.long)]
            low, high = torch.maximum(boxes[k, :2], others[:, :2]), torch.minimum(boxes[k, 2:], others[:, 2:])
            overlap = (high - low).clamp(min=0).prod(-1)
            if (overlap <= threshold * (area(boxes[k]) + area(others) - overlap)).all():
                kept.append(k)
        return torch.tensor(kept, dtype=torch.long)
    return batched_nms


@pytest.fixture
def detect_face(monkeypatch):
    """facenet-pytorch's own cascade, under PyTorch."""
    torch = pytest.importorskip("torch")
    folder = has("facenet-pytorch", "facenet_pytorch/models/mtcnn.py").parent
    for name in ("torchvision", "torchvision.transforms", "torchvision.transforms.functional", "torchvision.ops",
                 "torchvision.ops.boxes"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["torchvision.transforms"].functional = sys.modules["torchvision.transforms.functional"]
    sys.modules["torchvision.ops.boxes"].batched_nms = nms(torch)
    for name, path in (("facenet_models", folder), ("facenet_models.utils", folder / "utils")):
        package = ModuleType(name)
        package.__path__ = [str(path)]
        monkeypatch.setitem(sys.modules, name, package)
    mtcnn = importlib.import_module("facenet_models.mtcnn")
    yield lambda image, smallest: mtcnn.detect_face(image, smallest, mtcnn.PNet(), mtcnn.RNet(), mtcnn.ONet(),
                                                    [0.6, 0.7, 0.7], 0.709, "cpu")
    for name in [*sys.modules]:
        if name.startswith("facenet_models"):
            del sys.modules[name]


@pytest.mark.parametrize("picture, rows, columns", [("astronaut", (0, 300), (100, 400)),
                                                    ("astronaut", (0, 512), (0, 512)),
                                                    ("astronaut", (60, 250), (180, 330))])
def test_faces_are_those_of_facenet_pytorch(detect_face, picture, rows, columns):
    pytest.importorskip("skimage")
    cascade = example("face_cascade")
    photograph = data.photograph(picture)[:, slice(*rows), slice(*columns)]
    pixels = np.round(photograph.transpose(1, 2, 0) * 255).astype(np.uint8)
    with autograd.no_grad():
        stages, landmarks, _ = cascade.detect(networks.mtcnn(), Tensor((photograph * 255 - 127.5) / 128))
    import torch
    with torch.no_grad():
        (boxes,), (points,) = detect_face(pixels, 20)
    order = np.argsort(-boxes[:, 4].astype(float))
    np.testing.assert_allclose(stages[-1].numpy(), boxes[order, :4].astype(float), atol=2e-3)
    np.testing.assert_allclose(landmarks.numpy(), points[order].astype(float), atol=2e-3)


def test_words_are_spoken_as_g2p_en_speaks_them(monkeypatch):
    path = has("g2p_en", "g2p_en/g2p.py")
    for name in ("nltk", "nltk.corpus", "nltk.tokenize", "g2p_own", "g2p_own.expand"):  # around its network
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["g2p_own"].__path__ = [str(path.parent)]
    sys.modules["g2p_own.expand"].normalize_numbers = None
    nltk = sys.modules["nltk"]
    nltk.pos_tag = nltk.download = None
    nltk.corpus = sys.modules["nltk.corpus"]
    nltk.data, nltk.corpus.cmudict = SimpleNamespace(find=bool), SimpleNamespace(dict=dict)
    sys.modules["nltk.tokenize"].TweetTokenizer = lambda: SimpleNamespace(tokenize=None)
    own = importlib.import_module("g2p_own.g2p").G2p()
    monkeypatch.delitem(sys.modules, "g2p_own.g2p")
    pronunciation = example("pronunciation")
    words = sorted({*re.findall(r"\b[a-z]{2,14}\b", data.manual())})[::7]
    spoken = pronunciation.speak(pronunciation.Reader().pretrained(), words)
    assert [[pronunciation.SOUNDS[sound] for sound in sounds] for sounds in spoken] == [own.predict(w) for w in words]


@pytest.mark.parametrize("name, side", [("det", 96), ("rec", 48)])
def test_text_is_found_and_read_as_onnxruntime_does(name, side):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    path = has("rapidocr-onnxruntime", f"rapidocr_onnxruntime/models/ch_PP-OCRv4_{name}_infer.onnx")
    x = np.random.default_rng(0).uniform(-1, 1, (2, 3, side, 160)).astype(np.float32)
    session = runtime.InferenceSession(path)
    (wanted,) = session.run(None, {session.get_inputs()[0].name: x})
    with autograd.no_grad():
        np.testing.assert_allclose(example("text_recognition").network(name)(Tensor(x)).numpy(), wanted, atol=1e-4)


def test_voices_are_heard_as_by_silero_vads_own_file():
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(has("silero-vad", "silero_vad/data/silero_vad.onnx"))
    has("pyannote.audio", "pyannote/audio/sample/sample.wav")
    sound = data.conversation()[0][6 * 16_000:12 * 16_000]
    state, before, wanted = np.zeros((2, 1, 128), np.float32), np.zeros((1, 64), np.float32), []
    for k in range(0, len(sound), 512):
        chunk = np.pad(sound[None, k:k + 512], ((0, 0), (0, max(0, k + 512 - len(sound)))))
        chunk = np.concatenate([before, chunk], 1)
        score, state = session.run(None, {"input": chunk, "state": state, "sr": np.array(16_000)})
        wanted.append(score[0, 0])
        before = chunk[:, -64:]
    assert max(wanted) > 0.9 and min(wanted) < 0.1
    found = example("voice_activity").VoiceActivity().pretrained()(Tensor(sound[None]))
    np.testing.assert_allclose(found[0].numpy(), wanted, atol=5e-6)


def test_voices_are_told_apart_as_by_resemblyzer(monkeypatch):
    torch = pytest.importorskip("torch")
    path = has("Resemblyzer", "resemblyzer/voice_encoder.py")
    for name in ("resemblyzer", "resemblyzer.audio"):  # which needs librosa and more
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["resemblyzer"].__path__ = [str(path.parent)]
    sys.modules["resemblyzer"].audio = sys.modules["resemblyzer.audio"]
    own = importlib.import_module("resemblyzer.voice_encoder").VoiceEncoder("cpu", verbose=False)
    for name in [name for name in sys.modules if name.startswith("resemblyzer.") and name != "resemblyzer.audio"]:
        monkeypatch.delitem(sys.modules, name)
    has("pyannote.audio", "pyannote/audio/sample/sample.wav")
    speaker = example("speaker_embedding")
    spectra = speaker.mel_spectra(data.conversation()[0])[600:2200].reshape(10, 160, 40)
    with torch.no_grad():
        wanted = own(torch.from_numpy(spectra))
    with autograd.no_grad():
        found = speaker.VoiceEncoder().pretrained()(Tensor(spectra))
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), atol=2e-6)

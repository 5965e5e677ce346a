"""The gallery: each example runs, its claim decides the exit status, and what the notes teach is found by its name."""

import json
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from examples import gallery, readme
from examples.__main__ import main

EXAMPLES = gallery.find()
ANY = next(iter(EXAMPLES))

WORDS = """
k-nearest neighbor, L1 distance, L2 distance, cross-validation, SVM, softmax, L1 regularization, L2 regularization,
elastic net, two-layer net, HOG, color histogram, PCA, whitening,
activation functions, initialization, Xavier, Kaiming, batch norm, layer norm, group norm, dropout, DropConnect,
stochastic depth, cutout, mixup, fractional pooling, chance loss, overfitting a small set, learning rate finding,
update ratio, random search, grid search, coarse to fine, optimizers, learning rate schedule, warm-up, early stopping,
ensemble, snapshot ensemble, averaged weights, transfer learning, fine-tuning, data parallel,
AlexNet, ZFNet, VGG, GoogLeNet, ResNet, bottleneck, pre-activation, ResNeXt, SENet, DenseNet, MobileNet, ShuffleNet,
memory, parameters, multiply-adds,
vanilla RNN, LSTM, truncated backpropagation, character model, captioning, captioning with attention, seq2seq,
seq2seq with attention, self-attention, Transformer, translation, ViT,
first-layer filters, nearest neighbors in feature space, t-SNE, maximally activating patches, occlusion, saliency,
guided backprop, CAM, Grad-CAM, gradient ascent, feature inversion, DeepDream, texture synthesis, style transfer,
fast style transfer,
FGSM, PGD, targeted attack, black-box attack, backdoor, adversarial training,
classification and localization, sliding window, IoU, NMS, mAP, R-CNN, RoI pool, RoI align, RPN, anchors,
two-stage detector, single-stage detector, focal loss, FPN,
FCN, learned upsampling, U-Net, instance segmentation,
depth estimation, scale-invariant loss, surface normals, voxels, implicit surface, signed distance, PointNet,
Chamfer distance, mesh, graph convolution, F1@t,
single-frame CNN, late fusion, early fusion, slow fusion, C3D, inflation, two-stream, optical flow, CNN + RNN,
non-local block, SlowFast,
PixelRNN, PixelCNN, autoencoder, VAE, VQ-VAE, learned prior, minimax GAN, non-saturating GAN, WGAN-GP,
latent interpolation, latent arithmetic, diffusion, classifier-free guidance,
Markov decision process, value iteration, Q-learning, DQN, experience replay, target network, policy gradient,
REINFORCE, REINFORCE with baseline, actor-critic, PPO,
Neural ODE, adjoint method, contrastive learning, linear probe, pretrained networks, face detection,
grapheme to phoneme, voice activity, speaker embedding, text recognition
"""
"""What chapters 1 to 13 of the notes teach, by their own words."""


def test_what_the_notes_teach_is_shown():
    shown = {system for example in EXAMPLES.values() for system in example.systems}
    words = [word.strip() for word in WORDS.replace("\n", " ").split(",")]
    assert not [word for word in words if word not in shown]


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[pytest.mark.slow] * ("subprocess" in example.path.read_text(encoding="utf-8")))
    for name, example in EXAMPLES.items()])
def test_it_runs(name, tmp_path):
    pytest.importorskip("matplotlib")
    try:
        done = gallery.run(EXAMPLES[name], quick=True, out=tmp_path)
    except ModuleNotFoundError as error:
        if "is not installed" not in str(error):
            raise
        pytest.skip(str(error))
    assert done.results and done.judged, "it says what it reached, and judges its claim"
    assert done.pictures and all(path.stat().st_size > 1000 for path in done.pictures)


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_reads_well(name):
    example = EXAMPLES[name]
    assert len(example.doc.splitlines()) <= 12 and example.doc.partition("\n")[0].endswith(".")
    assert example.systems and example.claim.endswith(".")
    assert len(example.path.read_text(encoding="utf-8").splitlines()) <= 165


def test_names_are_each_of_one_file():
    assert len(EXAMPLES) == len(list(gallery.HERE.glob("[0-9][0-9]_*/*.py")))


def toy(monkeypatch, tmp_path, body="run.result('a', 1, '%'); run.holds(run.seed == 3)"):
    """A gallery of one example, in a folder of its own."""
    path = tmp_path / "01_toy" / "toy.py"
    path.parent.mkdir()
    path.write_text(f'"""A toy."""\nSYSTEMS = ("toy",)\nCLAIM = "It is."\n\n\ndef example(run):\n    {body}\n')
    monkeypatch.setattr(gallery, "find", lambda: {"toy": gallery.Example.read(path)})
    monkeypatch.setattr(gallery.Example, "load", lambda _: SimpleNamespace(**runpy.run_path(str(path))))


@pytest.mark.parametrize("seed, status, verdict", [(3, 0, "held"), (0, 1, "FAILED")])
def test_the_status_is_that_of_the_claim(seed, status, verdict, monkeypatch, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    toy(monkeypatch, tmp_path)
    for arguments in (["toy"], ["--all", "--jobs", "1"]):
        assert main([*arguments, "--seed", str(seed)]) == status
        printed = capsys.readouterr().out
        assert verdict in printed and "1 %" in printed


def test_side_by_side_each_is_what_it_is_alone(tmp_path):
    pytest.importorskip("matplotlib")
    some = [EXAMPLES["sigmoid_neuron"], EXAMPLES["vanilla_rnn"]]
    for alone, together in zip(*[gallery.runs(some, jobs, quick=True, out=tmp_path) for jobs in (1, 2)], strict=True):
        assert alone.name == together.name and alone.results == together.results and together.pictures


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    toy(monkeypatch, tmp_path, "import no_such_package")
    assert main(["toy"]) == 1
    assert "toy needs no_such_package, which is not installed: pip install 'gradcircuit[examples]'" in \
        capsys.readouterr().err


def test_a_wrong_name_shows_the_nearest(capsys):
    assert main([ANY[:-2] + "x"]) == 2
    assert f"no example '{ANY[:-2]}x'; the nearest are {ANY}" in capsys.readouterr().err


def test_the_list_is_there_for_programs_and_imports_no_packages():
    program = ("import sys; from examples.__main__ import main; main(['--list', '--json']); "
               "assert not {'matplotlib', 'sklearn', 'skimage'} & set(sys.modules)")
    listed = json.loads(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True,
                                       cwd=gallery.HERE.parent).stdout)
    assert [entry["name"] for entry in listed] == list(EXAMPLES)
    assert all(entry["chapter"] and entry["systems"] and entry["claims"] for entry in listed)


def test_a_seed_is_all_that_chance_comes_from(tmp_path):
    import autograd
    draws = [(gallery.Run("x", seed, out=tmp_path).rng.random(), autograd.rand(1).item()) for seed in (0, 0, 1)]
    assert draws[0] == draws[1] and not set(draws[0]) & set(draws[2])


def test_the_page_is_what_the_files_and_their_last_runs_say():
    assert Path(readme.README).read_text(encoding="utf-8") == readme.text(EXAMPLES), \
        "python -m examples NAME --readme, for what is new; python -m examples --readme otherwise"
    assert all((readme.THUMBNAILS / entry["picture"]).exists() for entry in readme.kept().values())


def test_each_example_held_when_it_was_last_run_in_full():
    reached = readme.kept()
    assert set(reached) == set(EXAMPLES) and all(entry["held"] for entry in reached.values())

"""Which programs are run, with what."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass
class Program:
    """A public program, and how it is run.

    Args:
        kind: what it trains.
        repository: owner+name, its folder.
        script: its path there; for a driver the name of ours in drivers/.
        arguments: of the command line.
        inside: the folder of the repository that it runs in.
        prepare: makes its data there.
        images: how many there are to train on.
        logs: what it says, it says on stderr.
        keep: what is compared of what it says, a pattern; "" for all.
        drop: what is left out of that: times.
        float64: run it with that as the default dtype, since rounding grows by much while it trains.
        within: how far its numbers may be from PyTorch's, relatively.
        driver: it needs a GPU or a download, and is replaced by a few lines of ours around its modules.
    """

    kind: str
    repository: str
    script: str
    arguments: str = ""
    inside: str = "."
    prepare: Callable[[Path], object] = lambda folder: None
    images: int = 128
    logs: bool = False
    keep: str = ""
    drop: str = r"(?i)(ms/batch +|time: +|SPS: *|speed: +|left time: +|Step: *|Tot: *)\S+|\d+\.\d+ *(ms|s)\b"
    float64: bool = False
    within: float = 1e-3
    driver: bool = False

    @property
    def name(self) -> str:
        """What a test calls it."""
        chosen = re.findall(r"--(?:model|type) (\S+)|^models\S* (\S+)|^(pointnet\w*)", self.arguments)
        script = self.script.removesuffix(".py").replace("/", "-")
        return "-".join([self.repository.partition("+")[2], script, *map("".join, chosen)])


def made(*folders: str) -> Callable[[Path], object]:
    """Makes folders."""
    return lambda folder: [(folder / each).mkdir(exist_ok=True) for each in folders]


def words(folder: Path) -> None:
    """Sentences of 60 words, of which few are frequent."""
    random = np.random.RandomState(0)
    (folder / "words").mkdir()
    for part, count in (("train", 400), ("valid", 60), ("test", 60)):
        rows = [" ".join(f"w{i}" for i in random.zipf(1.5, 12) % 60) for _ in range(count)]
        (folder / "words" / f"{part}.txt").write_text("\n".join(rows) + "\n")


def names(folder: Path) -> None:
    """The first 3000 of its own names."""
    (folder / "few.txt").write_text("\n".join((folder / "names.txt").read_text().split()[:3000]))


def masks(folder: Path) -> None:
    """Bright rectangles, and where they are."""
    from PIL import Image
    random = np.random.RandomState(0)
    made("data", "data/imgs", "data/masks")(folder)
    for i in range(8):
        image, mask = (random.rand(32, 48, 3) * 80).astype(np.uint8), np.zeros((32, 48), np.uint8)
        y, x = random.randint(4, 16, 2)
        image[y:y + 10, x:x + 14] += 120
        mask[y:y + 10, x:x + 14] = 1
        Image.fromarray(image).save(folder / f"data/imgs/{i}.png")
        Image.fromarray(mask).save(folder / f"data/masks/{i}_mask.png")


def citations(folder: Path) -> None:
    """1600 papers of three subjects, and which cite which."""
    random = np.random.RandomState(0)
    rows = []
    for i in range(1600):
        subject = random.randint(3)
        found = random.rand(60) < 0.05
        found[20 * subject:20 * subject + 20] |= random.rand(20) < 0.3
        rows.append("\t".join([str(i), *map(str, found.astype(int)), "ABC"[subject]]))
    (folder / "data/cora/cora.content").write_text("\n".join(rows) + "\n")
    (folder / "data/cora/cora.cites").write_text("".join(f"{a}\t{b}\n" for a in range(1600)
                                                         for b in random.randint(0, 1600, 2)))


def series(folder: Path) -> None:
    """600 hours of three waves."""
    t, random = np.arange(600), np.random.RandomState(0)
    columns = np.sin(t / 10), np.cos(t / 17) + random.randn(600) / 10, np.sin(t / 10) * np.cos(t / 17)
    days = np.datetime64("2020-01-01T00") + t
    (folder / "series.csv").write_text("date,a,b,OT\n" + "".join(
        f"{str(day).replace('T', ' ')}:00:00,{a:.4f},{b:.4f},{c:.4f}\n"
        for day, a, b, c in zip(days, *columns, strict=True)))


def shapes(folder: Path) -> None:
    """Points of cones, cubes and balls, with normals."""
    random = np.random.RandomState(0)
    root = folder / "data/modelnet40_normal_resampled"
    root.mkdir(parents=True, exist_ok=True)
    (root / "modelnet10_shape_names.txt").write_text("cone\ncube\nball")
    ids = [f"{('cone', 'cube', 'ball')[k % 3]}_{k:04d}" for k in range(24)]
    for name in ids:
        x = random.randn(256, 3)
        normals = x / np.linalg.norm(x, axis=1, keepdims=True)
        points = {"cone": x * abs(x[:, 2:]), "cube": x.clip(-1, 1), "ball": normals}[name[:4]]
        (root / name[:4]).mkdir(exist_ok=True)
        np.savetxt(root / name[:4] / f"{name}.txt", np.hstack([points, normals]), delimiter=",", fmt="%.6f")
    (root / "modelnet10_train.txt").write_text("\n".join(ids[:16]))
    (root / "modelnet10_test.txt").write_text("\n".join(ids[16:]))


def burgers(folder: Path) -> None:
    """The folder in which the notebook looks."""
    shutil.copytree(folder / "Burgers Equation/data", folder / "data")


EXAMPLES, MAKEMORE = "pytorch+examples", "karpathy+makemore"
FORECAST = ("--is_training 1 --model_id x --data custom --root_path . --data_path series.csv --seq_len 24 "
            "--label_len 12 --pred_len 12 --enc_in 3 --dec_in 3 --c_out 3 --d_model 16 --n_heads 2 --d_ff 32 "
            "--train_epochs 2 --itr 1 --num_workers 0 --dropout 0 --model ")
PROGRAMS = [
    *[Program("characters", MAKEMORE, "makemore.py", "-i few.txt --max-steps 60 --n-layer 2 --n-embd 32 --n-embd2 32 "
              f"--device cpu --type {kind}", prepare=names)
      for kind in ("transformer", "rnn", "gru", "mlp", "bow", "bigram")],
    Program("GPT", "karpathy+minGPT", "projects/adder/adder.py",
            "--trainer.max_iters=60 --trainer.num_workers=0 --trainer.batch_size=16", drop=r"iter_dt \S+"),
    *[Program("words", EXAMPLES, "word_language_model/main.py", "--data words --epochs 2 --emsize 32 --nhid 32 "
              f"--nhead 2 --log-interval 5 --bptt 10 --lr 1 --model {kind}", prepare=words)
      for kind in ("LSTM", "GRU", "RNN_TANH", "Transformer")],
    *[Program("text", "graykode+nlp-tutorial", script) for script in (
        "2-1.TextCNN/TextCNN.py", "4-2.Seq2Seq(Attention)/Seq2Seq(Attention).py",
        "4-3.Bi-LSTM(Attention)/Bi-LSTM(Attention).py")],
    Program("images", EXAMPLES, "mnist/main.py", "--epochs 1 --log-interval 1 --no-accel"),
    Program("images", EXAMPLES, "mnist_rnn/main.py", "--epochs 1 --log-interval 1"),
    Program("images", EXAMPLES, "mnist_forward_forward/main.py",
            "--epochs 8 --train_size 100 --test_size 30 --log-interval 2 --no_accel"),
    *[Program("images", "kuangliu+pytorch-cifar", "images.py", f"models {name}", driver=True, images=64, float64=True)
      for name in ("ResNet18", "MobileNetV2")],
    *[Program("images", "kentaroy47+vision-transformers-cifar10", "images.py", f"{name} image_size=32 patch_size=4 "
              "num_classes=10 dim=64 depth=2 heads=4 mlp_dim=64", driver=True, images=64)
      for name in ("models.simplevit SimpleViT", "models.vit ViT")],
    Program("U-Net", "milesial+Pytorch-UNet", "train.py", "-e 1 -b 2 -s 1 -v 25", prepare=masks, logs=True,
            keep=r"loss \(batch\)=[0-9.]+|Dice score: [0-9.]+"),
    Program("VAE", EXAMPLES, "vae/main.py", "--epochs 2 --log-interval 1 --no-accel", prepare=made("results"),
            images=512),
    Program("VQ-VAE", "MishaLaskin+vqvae", "main.py", "--batch_size 8 --n_updates 20 --n_hiddens 16 "
            "--n_residual_hiddens 8 --n_embeddings 32 --embedding_dim 16 --log_interval 5"),
    Program("GAN", EXAMPLES, "dcgan/main.py", "--dataset mnist --dataroot . --niter 1 --batchSize 16 --imageSize 64 "
            "--ngf 8 --ndf 8 --workers 0 --manualSeed 1", within=1e-2),
    *[Program("GAN", "eriklindernoren+PyTorch-GAN", f"implementations/{name}/{name}.py", "--n_epochs 1 --batch_size 32",
              images=96) for name in ("wgan_gp", "infogan")],
    Program("diffusion", "dome272+Diffusion-Models-pytorch", "diffusion.py", driver=True),
    Program("flow", "kamenbliznashki+normalizing_flows", "planar_flow.py",
            "--train --no_cuda --target_potential u_z1 --flow_length 4 --n_steps 600 --lr 1e-3"),
    *[Program("reinforcement", EXAMPLES, f"reinforcement_learning/{name}.py", "--log-interval 1",
              keep=r"Episode (?:[1-9]|1\d)\t.*") for name in ("reinforce", "actor_critic")],
    *[Program("time series", "locuslab+TCN", f"TCN/{folder}/{name}.py", f"--cuda --epochs 1 {arguments}", float64=True)
      for folder, name, arguments in (
        ("adding_problem", "add_test", "--levels 4 --seq_len 40 --nhid 8 --log-interval 300"),
        ("copy_memory", "copymem_test", "--levels 3 --blank_len 30 --log-interval 50 --iters 20"))],
    *[Program("time series", "cure-lab+LTSF-Linear", "run_longExp.py", FORECAST + model, prepare=series)
      for model in ("DLinear", "Transformer", "Informer")],
    *[Program("points", "yanx27+Pointnet_Pointnet2_pytorch", "points.py", name, prepare=shapes, float64=True,
              driver=True)
      for name in ("pointnet_cls", "pointnet2_cls_ssg")],
    Program("graph", "Diego999+pyGAT", "train.py", "--epochs 2 --hidden 4 --nb_heads 2 --no-cuda", prepare=citations,
            drop=r"(?i)(time|elapsed): \S+"),
    Program("detection", "eriklindernoren+PyTorch-YOLOv3", "yolo.py", driver=True),
    Program("meta-learning", "dragen1860+MAML-Pytorch", "maml.py", driver=True, float64=True),
    Program("meta-learning", "orobix+Prototypical-Networks-for-Few-shot-Learning-PyTorch", "prototypes.py", driver=True,
            inside="src"),
    Program("physics", "jayroxis+PINNs", "notebook.py",
            "'Burgers Equation/Burgers Inference (PyTorch).ipynb' aesthetic 20", prepare=burgers, driver=True),
    Program("physics", "nanditadoloi+PINN", "notebook.py", "solve_PDE_NN.ipynb mplot3d 300", driver=True),
    Program("physics", "benmoseley+harmonic-oscillator-pinn", "notebook.py",
            "'Harmonic oscillator PINN.ipynb' never 300", prepare=made("plots"), driver=True),
    Program("differential equations", "rtqichen+torchdiffeq", "examples/ode_demo.py",
            "--niters 10 --data_size 100 --test_freq 5"),
    Program("differential equations", "rtqichen+torchdiffeq", "examples/latent_ode.py", "--niters 3"),
]
"""All that are run; what each prints is compared."""

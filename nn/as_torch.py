"""The PyTorch door: programs that `import torch` run as they are.

    python -m nn.as_torch train.py --epochs 3     a script, for this process and its workers
    python -m nn.as_torch -m package.train        a module, as with `python -m`
    python -m nn.as_torch --missing train.py      what it uses of PyTorch that isn't here, without running it

By hand, `nn.as_torch.install()` before `import torch` does the same, and so does `from nn import as_torch as torch`. It
makes no difference whether PyTorch is installed.

PLACES says where PyTorch's names are found here; they are the very same objects (but operations also take `out=`). What
a program says around its mathematics stands in nn/torch_scaffolding.py, what packages take from PyTorch's inside in
nn/torch_inside.py, and what only PyTorch has in nn/torch_absent.py. What isn't here raises an AttributeError that names
what is near. docs/porting.md says what differs.
"""

import ast
import atexit
import difflib
import importlib
import importlib.machinery
import importlib.util
import os
import sys
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nn import torch_inside  # noqa: F401 - adds to NAMES
from nn.torch_absent import ABSENT, Absent, asked_in, stand_in, why_absent
from nn.torch_scaffolding import NAMES, attach, taking_out

PLACES = {
    "torch": "autograd autograd.func:vmap autograd.creation:range autograd.random "
             "autograd.linalg:pinv,svd,lstsq,matrix_exp "
             "nn.functional:conv1d,conv2d,conv3d,conv_transpose1d,conv_transpose2d,conv_transpose3d,conv_tbc,"
             "max_pool1d,max_pool2d,max_pool3d,avg_pool1d,adaptive_avg_pool1d,adaptive_max_pool1d,layer_norm,group_norm,"
             "rms_norm,dropout,alpha_dropout,feature_alpha_dropout,celu,celu_,selu,selu_,prelu,rrelu,hardshrink,"
             "threshold,bilinear,pixel_shuffle,pixel_unshuffle,channel_shuffle,pairwise_distance,cosine_similarity,pdist,"
             "cosine_embedding_loss,ctc_loss,hinge_embedding_loss,kl_div,margin_ranking_loss,poisson_nll_loss,"
             "triplet_margin_loss,binary_cross_entropy_with_logits,grid_sample,affine_grid",
    "torch.nn": "nn",
    "torch.nn.functional": "nn.functional",
    "torch.nn.init": "nn.init nn.init:_calculate_fan_in_and_fan_out=fans,xavier_uniform=xavier_uniform_,"
                     "xavier_normal=xavier_normal_,kaiming_uniform=kaiming_uniform_,kaiming_normal=kaiming_normal_,"
                     "normal=normal_,uniform=uniform_,constant=constant_,orthogonal=orthogonal_,eye=eye_,dirac=dirac_,"
                     "sparse=sparse_",
    "torch.nn.parameter": "nn.parameter nn",
    "torch.nn.parallel": "nn.parallel nn",
    "torch.nn.parallel.data_parallel": "nn.parallel",
    "torch.nn.parallel.distributed": "nn.parallel",
    "torch.nn.modules": "nn",
    **{f"torch.nn.modules.{name}": "nn" for name in ("adaptive", "channelshuffle", "flatten", "fold", "lazy",
                                                     "pixelshuffle")},
    "torch.nn.modules.activation": "nn.activation nn.attention",
    "torch.nn.modules.batchnorm": "nn.normalization nn.normalization:_NormBase=_RunningNorm",
    "torch.nn.modules.container": "nn.container",
    "torch.nn.modules.conv": "nn.convolution nn.convolution:_ConvNd=_Conv,_ConvTransposeNd=_ConvTranspose",
    "torch.nn.modules.distance": "nn.loss",
    "torch.nn.modules.dropout": "nn.dropout nn.dropout:_DropoutNd=_Dropout",
    "torch.nn.modules.instancenorm": "nn.normalization",
    "torch.nn.modules.linear": "nn.linear nn.linear:NonDynamicallyQuantizableLinear=Linear",
    "torch.nn.modules.loss": "nn.loss nn.loss:_WeightedLoss=_Loss",
    "torch.nn.modules.module": "nn.module nn.module:_IncompatibleKeys=IncompatibleKeys",
    "torch.nn.modules.normalization": "nn.normalization",
    "torch.nn.modules.padding": "nn.padding",
    "torch.nn.modules.pooling": "nn.pooling nn.pooling:_MaxPoolNd=_Pool,_AvgPoolNd=_Pool,_LPPoolNd=_Pool",
    "torch.nn.modules.rnn": "nn.recurrent",
    "torch.nn.modules.sparse": "nn.embedding",
    "torch.nn.modules.transformer": "nn.transformer",
    "torch.nn.modules.upsampling": "nn.upsampling",
    "torch.nn.modules._functions": "",
    "torch.nn.utils": "nn.utils",
    "torch.nn.utils.clip_grad": "nn.utils.clip_grad",
    "torch.nn.utils.convert_parameters": "nn.utils.convert_parameters",
    "torch.nn.utils.fusion": "nn.utils.fusion",
    "torch.nn.utils.parametrizations": "nn.utils.parametrizations",
    "torch.nn.utils.parametrize": "nn.utils.parametrize",
    "torch.nn.utils.prune": "nn.utils.prune",
    "torch.nn.utils.rnn": "nn.utils.rnn",
    "torch.nn.utils.spectral_norm": "nn.utils.spectral_norm",
    "torch.nn.utils.stateless": "nn.utils.stateless",
    "torch.nn.utils.weight_norm": "nn.utils.weight_norm",
    "torch.optim": "optim",
    "torch.optim.lr_scheduler": "optim.lr_scheduler optim.lr_scheduler:_LRScheduler=LRScheduler",
    "torch.optim.optimizer": "optim.optimizer",
    "torch.optim.swa_utils": "optim.swa_utils",
    **{f"torch.optim.{name}": "optim" for name in ("adadelta", "adagrad", "adam", "adamax", "adamw", "asgd", "lbfgs",
                                                   "nadam", "radam", "rmsprop", "rprop", "sgd")},
    "torch.utils.checkpoint": "autograd.checkpoint",
    "torch.utils.data": "nn.data",
    "torch.utils.data.dataloader": "nn.data",
    "torch.utils.data._utils": "nn.data",
    "torch.utils.data._utils.collate": "nn.data",
    "torch.utils.data._utils.worker": "nn.data",
    "torch.utils.data.dataset": "nn.data",
    "torch.utils.data.distributed": "nn.data",
    "torch.utils.data.sampler": "nn.data",
    "torch.utils.hooks": "autograd.hooks",
    "torch.functional": "autograd",
    "torch._tensor": "autograd",
    "torch._C._nn": "nn.functional",
    "torch._vmap_internals": "autograd.func:vmap,_vmap=vmap",
    "torch.autograd": "autograd autograd.testing:gradcheck,gradgradcheck",
    "torch.autograd.function": "autograd.function autograd.function:FunctionCtx=Context",
    "torch.autograd.functional": "autograd.functional",
    "torch.autograd.graph": "autograd autograd.hooks",
    "torch.autograd.variable": "autograd",
    "torch.autograd.anomaly_mode": "autograd",
    "torch.autograd.gradcheck": "autograd.testing:gradcheck,gradgradcheck",
    "torch.autograd.grad_mode": "autograd.grad_mode",
    "torch.distributed": "nn.distributed",
    "torch.distributed.distributed_c10d": "nn.distributed",
    "torch.distributed.nn": "nn.distributed.functional",
    "torch.distributed.nn.functional": "nn.distributed.functional",
    "torch.distributions": "nn.distributions",
    **{f"torch.distributions.{name}": "nn.distributions" for name in (
        "bernoulli", "beta", "binomial", "categorical", "cauchy", "chi2", "continuous_bernoulli", "dirichlet",
        "distribution", "exponential", "exp_family", "fishersnedecor", "gamma", "generalized_pareto", "geometric",
        "gumbel", "half_cauchy", "half_normal", "independent", "inverse_gamma", "kumaraswamy", "laplace",
        "lkj_cholesky", "log_normal", "logistic_normal", "lowrank_multivariate_normal", "mixture_same_family",
        "multinomial", "multivariate_normal", "negative_binomial", "normal", "one_hot_categorical", "pareto",
        "poisson", "relaxed_bernoulli", "relaxed_categorical", "studentT", "transformed_distribution", "uniform",
        "von_mises", "weibull", "wishart")},
    "torch.distributions.constraints": "nn.distributions.constraints",
    "torch.distributions.constraint_registry": "nn.distributions.constraint_registry",
    "torch.distributions.kl": "nn.distributions.kl",
    "torch.distributions.transforms": "nn.distributions.transforms",
    "torch.distributions.utils": "nn.distributions.distribution:_sum_rightmost=sum_last,clamp_probs",
    "torch.func": "autograd.func nn.utils.stateless:functional_call,stack_module_state",
    "torch.linalg": "autograd.linalg",
    "torch.special": "autograd.special",
    "torch.random": "autograd.random",
    "torch.multiprocessing": "multiprocessing",
    "torch.futures": "concurrent.futures:Future",
    "torchvision.models": "nn.vision.models",
    **{f"torchvision.models.{name}": f"nn.vision.models.{name} nn.vision.models" for name in (
        "_utils", "alexnet", "convnext", "densenet", "detection", "efficientnet", "feature_extraction", "googlenet",
        "inception", "mnasnet", "mobilenetv2", "mobilenetv3", "regnet", "resnet", "segmentation", "shufflenetv2",
        "squeezenet", "swin_transformer", "vgg", "video", "vision_transformer")},
    "torchvision.models.mobilenet": "nn.vision.models",
    **{f"torchvision.models.segmentation.{name}": f"nn.vision.models.segmentation.{name} nn.vision.models.segmentation"
       for name in ("deeplabv3", "fcn", "lraspp")},
    **{f"torchvision.models.detection.{name}": f"nn.vision.models.detection.{name} nn.vision.models.detection"
       for name in ("_utils", "anchor_utils", "backbone_utils", "faster_rcnn", "fcos", "generalized_rcnn", "image_list",
                    "keypoint_rcnn", "mask_rcnn", "retinanet", "roi_heads", "rpn", "ssd", "ssdlite", "transform")},
    "torchvision.models.video.resnet": "nn.vision.models.video",
    "torchvision.transforms": "nn.vision.transforms",
    "torchvision.transforms.v2": "nn.vision.transforms",
    "torchvision.transforms.functional": "nn.vision.transforms.functional",
    "torchvision.transforms.v2.functional": "nn.vision.transforms.functional",
    "torchvision.transforms.transforms": "nn.vision.transforms",
    "torchvision.transforms.autoaugment": "nn.vision.transforms",
    "torchvision.tv_tensors": "nn.vision.tv_tensors",
    "torchvision.utils": "nn.vision.utils",
    "torchdiffeq": "nn.ode",
    "torchvision.ops": "nn.vision.ops",
    **{f"torchvision.ops.{name}": "nn.vision.ops" for name in (
        "ciou_loss", "deform_conv", "diou_loss", "drop_block", "focal_loss", "giou_loss", "poolers")},
    "torchvision.ops.boxes": "nn.vision.ops.boxes nn.vision.ops.suppression",
    "torchvision.ops.feature_pyramid_network": "nn.vision.ops.feature_pyramid_network",
    "torchvision.ops.misc": "nn.vision.ops.misc",
}
"""PyTorch's module -> where its names are here: modules, in this order, or some of their names (theirs=ours)."""
for _name in [*NAMES, *PLACES, *ABSENT]:  # and those that hold others, or scaffolding, alone
    while _name := _name.rpartition(".")[0]:
        PLACES.setdefault(_name, "")
MISSING: dict[str, str] = {}
"""What was asked for and isn't here, in that order, and where."""
_TAKE_OUT = ("torch", "torch.linalg", "torch.special")
"""Where operations take `out=`, besides being what they are here."""
_PROGRAM = "GRADCIRCUIT_PROGRAM"
"""The variable that tells worker processes which program they work for."""


# The way in

class _Door(types.ModuleType):
    """A module of PyTorch, each of whose names is looked up when it is first used."""

    def __init__(self, name: str) -> None:
        super().__init__(name, f"What stands here for {name}: see nn.as_torch.")
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return _known(self.__name__)
        if name.startswith("__") and f"{self.__name__}.{name}" not in (*NAMES, *PLACES):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = _find(self.__name__, name)
        setattr(self, name, value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        """An imported submodule doesn't hide the function of its name."""
        super().__setattr__(name, _find(self.__name__, name) if isinstance(value, _Door) else value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_known(self.__name__)})

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        """All of its names, for who goes through them, as with `vars(torchvision.models)`."""
        return {**{name: getattr(self, name) for name in _known(self.__name__)}, **super().__dict__}


def _find(place: str, name: str) -> Any:
    """What stands for a name of a module of PyTorch."""
    if f"{place}.{name}" in NAMES:
        return NAMES[f"{place}.{name}"]
    for source, names in _sources(place):
        ours = name if names is None else names.get(name)
        if ours and not isinstance(getattr(source, ours, types), types.ModuleType):
            value = getattr(source, ours)
            if place in _TAKE_OUT and hasattr(value, "operation"):
                value = taking_out(value)
                value.__module__, value.__qualname__ = __name__, f"{place}.{name}".partition(".")[2]  # to be pickled
            return value
    if f"{place}.{name}" in PLACES or f"{place}.{name}" in _doors:
        return _module(f"{place}.{name}")  # after functions: some have their module's name, as weight_norm
    if why := why_absent(f"{place}.{name}"):
        return stand_in(f"{place}.{name}", why)
    raise AttributeError(_not_here(f"{place}.{name}", name, _known(place)), name=name)


def _not_here(missing: str, name: str, known: Iterable[str]) -> str:
    """Note that something is missing; says so, with the names that are near."""
    MISSING[missing] = where = asked_in()
    near = difflib.get_close_matches(name, known, 3, 0.7)
    return (f"{missing} isn't here{'; near are ' + ', '.join(near) if near else ''} (asked for in {where}; "
            "docs/porting.md says what isn't, and why)")


def _sources(place: str) -> Iterator[tuple[Any, dict[str, str] | None]]:
    """The modules in which the names of one of PyTorch's are, each with PyTorch's names and ours (None: all of it)."""
    for source in PLACES.get(place, "").split():
        module, _, names = source.partition(":")
        if importlib.util.find_spec(module):
            pairs = [name.partition("=") for name in names.split(",")]
            yield importlib.import_module(module), {a: b or a for a, _, b in pairs} if names else None


def _known(place: str) -> list[str]:
    """All names of a module of PyTorch that are here."""
    known = {path.rpartition(".")[2] for path in (*NAMES, *PLACES) if path.rpartition(".")[0] == place}
    for source, names in _sources(place):
        known |= {name for name in names or getattr(source, "__all__", None) or vars(source)
                  if name[0] != "_" and not isinstance(getattr(source, name, None), types.ModuleType)}
    return sorted(known)


def _module(name: str) -> Any:
    """The module that stands for PyTorch's of this name."""
    if name not in _doors:
        _doors[name] = _Door(name)
    return _doors[name]


_doors: dict[str, _Door] = {}
NAMES["torch.torch"] = _module("torch")


class _Finder:  # importlib.abc, from which it could inherit, takes longer than all the door
    """Lets the import statement find the modules that stand for PyTorch's."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname in PLACES or why_absent(fullname):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)  # type: ignore[arg-type]
        if fullname.partition(".")[0] in ("torch", "torchvision"):
            raise ModuleNotFoundError(_not_here(fullname, fullname, PLACES), name=fullname)
        return None

    def create_module(self, spec: Any) -> Any:
        return _module(spec.name)

    def exec_module(self, module: Any) -> None:
        pass


def install() -> None:
    """Let `import torch` mean this project from here on, in this process and in those that it forks.

    Raises:
        RuntimeError: PyTorch itself has been imported already.
    """
    present = sys.modules.get("torch")
    if present is not None and not isinstance(present, _Door):
        raise RuntimeError("PyTorch itself has been imported in this process; call nn.as_torch.install() before "
                           "anything imports torch")
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    attach()


def __getattr__(name: str) -> Any:
    """For `from nn import as_torch as torch`."""
    if name.startswith("__") and name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    attach()
    return getattr(_module("torch"), name)


# Running a program

def names_in(source: str) -> Iterator[str]:
    """The dotted names of PyTorch that a program uses by what it imports, e.g. `torch.nn.functional.relu`."""
    tree = ast.parse(source)
    means: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name.partition(".")[0] == "torch":
                    means[name.asname or "torch"] = name.name if name.asname else "torch"
                    yield name.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").partition(".")[0] == "torch":
            for name in node.names:
                if name.name != "*":
                    means[name.asname or name.name] = f"{node.module}.{name.name}"
                    yield f"{node.module}.{name.name}"
    inner: set[ast.AST] = set()
    for node in sorted((node for node in ast.walk(tree) if isinstance(node, ast.Attribute)),
                       key=lambda node: (node.lineno, node.col_offset, -(node.end_col_offset or 0))):
        path: list[str] = []
        part: Any = node
        while isinstance(part, ast.Attribute):
            path.append(part.attr)
            inner.add(part.value)
            part = part.value
        if path and node not in inner and isinstance(part, ast.Name) and part.id in means:
            yield ".".join([means[part.id], *reversed(path)])


def missing_in(source: str) -> list[str]:
    """Those names of PyTorch in a program that aren't here."""
    missing: dict[str, None] = {}
    for name in names_in(source):
        found: Any = _module("torch")
        path = "torch"
        for part in name.split(".")[1:]:
            path += f".{part}"
            try:
                found = getattr(found, part)
            except AttributeError:
                missing[path] = None
                break
            if isinstance(found, Absent):
                missing[path] = None
            if not isinstance(found, (types.ModuleType, type)):
                break
    return list(missing)


def _code_of(program: str) -> tuple[Any, dict[str, Any]]:
    """The code of a program, a script's path or "-m module", and what its module knows of itself."""
    if not program.startswith("-m "):
        path = Path(program)
        return compile(path.read_bytes(), str(path), "exec"), {"__file__": str(path), "__package__": None}
    name = program.removeprefix("-m ")
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = importlib.util.find_spec(name := f"{name}.__main__")
    loader: Any = spec and spec.loader
    if spec is None or not hasattr(loader, "get_code"):
        raise ImportError(f"there is no module {name} that could be run")
    return loader.get_code(spec.name), {"__file__": spec.origin, "__package__": spec.parent}


def run(program: str, name: str = "__main__") -> dict[str, Any]:
    """Run a program whose `import torch` means this project; returns its global names.

    Args:
        program: the path of a script, or "-m module".
        name: its `__name__`.
    """
    install()
    os.environ[_PROGRAM] = program
    code, known = _code_of(program)
    module = types.ModuleType(name)
    module.__dict__.update(known, __spec__=importlib.util.find_spec("nn.as_torch"), __builtins__=__builtins__)
    sys.modules[name] = module  # a worker that is started anew runs nn.as_torch again, as __mp_main__: see below
    exec(code, module.__dict__)
    return module.__dict__


def main(arguments: list[str] | None = None) -> None:
    """The command `python -m nn.as_torch`."""
    import argparse  # a third of what opening the door takes

    parser = argparse.ArgumentParser("python -m nn.as_torch", description="Run a PyTorch program on gradcircuit.")
    parser.add_argument("--missing", action="store_true", help="list what it uses of PyTorch that isn't here")
    parser.add_argument("-m", dest="module", metavar="MODULE", help="run a module, as `python -m` does")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="SCRIPT ...")
    given = parser.parse_args(arguments)
    if not given.module and not given.arguments:
        parser.error("which program? Give a script, or -m and a module")
    program = f"-m {given.module}" if given.module else given.arguments.pop(0)
    if given.module:
        sys.path.insert(0, os.getcwd())
    if given.missing:
        _, known = _code_of(program)
        missing = missing_in(Path(known["__file__"]).read_text(encoding="utf-8"))
        print("\n".join(missing) or "nothing is missing")
        sys.exit(bool(missing))
    if not given.module:
        sys.path.insert(0, os.path.dirname(os.path.abspath(program)))
    sys.argv = [program, *given.arguments]
    atexit.register(_tell_what_is_missing)
    run(program)


def _tell_what_is_missing() -> None:
    if MISSING:
        print("of PyTorch, these were asked for and aren't here: "
              + ", ".join(f"{name} ({where})" for name, where in MISSING.items()), file=sys.stderr)


if __name__ == "__main__":
    from nn import as_torch  # noqa: PLW0406 - not this copy of it, which is called __main__

    as_torch.main()
elif __name__ == "__mp_main__":  # a worker process, started by multiprocessing: it needs the program's classes
    from nn import as_torch  # noqa: PLW0406

    globals().update(as_torch.run(os.environ[_PROGRAM], __name__))

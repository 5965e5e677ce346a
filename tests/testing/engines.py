"""One text for four engines: the namespaces, functions with rules, and checkers of this project and its peers.

A process knows one engine, that of CATALOGUE_ENGINE: gradcircuit (by default), torch, jax or hips. `np` then has
NumPy's names and `pt` PyTorch's for that engine (what it lacks raises InexpressibleError when it is called), and:

    custom(forward, vjps)        a function of this engine with these rules, `vjp(g, out, *args, **options)`
    check(case, seed, examples)  what a user of this engine would run; raises FALSIFIED, or returns
    look(x)                      the bare NumPy array, without history

As a script it is the worker of `catalogue.py`: it checks all cases and writes a line of JSON for each.
"""

import contextlib
import dataclasses
import inspect
import json
import math
import os
import sys
import time
import types
import warnings
from collections.abc import Callable

import numpy

ENGINE = os.environ.get("CATALOGUE_ENGINE", "gradcircuit")
POINT = (5, 4)
"""The shape at which peers are checked, which try the one point that they are given."""


class InexpressibleError(Exception):
    """This engine cannot say that."""


class Namespace:
    """The functions of a module, with other ones in some places; calling what is missing raises InexpressibleError."""

    def __init__(self, module, wrap=None, **others):
        self.__dict__.update(others)
        self._module, self._wrap = module, wrap

    def __getattr__(self, name):
        found = getattr(self._module, name, None)
        if isinstance(found, types.ModuleType):
            return Namespace(found, self._wrap)
        if found is None:
            def found(*args, **options):
                raise InexpressibleError(f"{ENGINE} has no {name}")
            return found
        return self._wrap(found) if self._wrap and callable(found) and not isinstance(found, type) else found


@dataclasses.dataclass
class Case:
    """A function to be tested, and on what: right, or with a fault.

    Attributes:
        name: says in a line what is wrong, or what is peculiar.
        function: makes it anew.
        count: how many arrays it takes.
        domain: for `gradient_test`, such as low=0.25.
        arguments: instead, from the kit's strategies to one for each argument.
        point: from a random generator to the arguments (a tuple, or one with options) at which peers are checked.
        order: the highest order of derivatives.
    """

    name: str
    function: Callable[[], Callable]
    count: int
    domain: dict = dataclasses.field(default_factory=dict)
    arguments: Callable | None = None
    point: Callable | None = None
    order: int = 2


def size(x):
    """How many elements there are."""
    return math.prod(x.shape)


def one_for_each(count, call):
    """`call`, with as many parameters as there are arguments: testers count them."""
    parameters = [inspect.Parameter(f"x{i}", inspect.Parameter.POSITIONAL_OR_KEYWORD) for i in range(count)]
    call.__signature__ = inspect.Signature(parameters)
    return call


def point(case, seed):
    """The arguments and options at which peers are checked: arrays of POINT from the domain, or those of the case."""
    rng = numpy.random.default_rng(seed)
    if case.point:
        args = case.point(rng)
        return args if isinstance(args[-1], dict) else (args, {})
    low, high = case.domain.get("low"), case.domain.get("high")
    if low is None and high is None:
        draw = rng.standard_normal
    else:
        low = -high if low is None else low
        high = max(2.0, low + 2) if high is None else high
        def draw(shape):
            return rng.uniform(low, high, shape)
    return tuple(draw(POINT) for _ in range(case.count)), {}


def is_floating(x):
    return isinstance(x, numpy.ndarray) and x.dtype.kind == "f"


def sum_to(g, x):
    """The gradient of x from that of what broadcasting made of it."""
    lead = len(g.shape) - len(x.shape)
    return g.sum(axis=(*range(lead), *(lead + i for i, n in enumerate(x.shape) if n == 1 != g.shape[lead + i]))
                 ).reshape(x.shape) if g.shape != x.shape else g


class Partly:
    """A function of the floating arguments alone, the others and the options being fixed."""

    def __init__(self, function, args, options):
        self.function, self.args, self.options = function, args, options
        self.places = [i for i, a in enumerate(args) if is_floating(a)]
        self.floating = [args[i] for i in self.places]

    def __call__(self, *floating):
        full = list(self.args)
        for i, x in zip(self.places, floating, strict=True):
            full[i] = x
        return self.function(*full, **self.options)


# The engines: each returns np, pt, look, custom, check

def gradcircuit():
    import autograd
    import nn.functional
    from autograd.calling import caller
    from autograd.operation import Operation

    def look(x):
        return x.detach().numpy() if isinstance(x, autograd.Tensor) else x

    def as_operation(forward, vjps, name):
        op = Operation(forward, vjps, None, None, None, False, None, name)
        call = op.call = caller(op)
        call.__name__, call.operation = name, op
        return call

    def as_function(forward, vjps, name):
        def run(ctx, *args, **options):
            out = forward(*args, **options)
            ctx.options, ctx.constants = options, [None if isinstance(a, autograd.Tensor) else a for a in args]
            ctx.save_for_backward(*[a if isinstance(a, autograd.Tensor) else None for a in args],
                                  *(out if isinstance(out, tuple) else (out,)))
            return out

        def back(ctx, *gs):
            args, outs = ctx.saved_tensors[:len(ctx.constants)], ctx.saved_tensors[len(ctx.constants):]
            args = [b if a is None else a for a, b in zip(args, ctx.constants, strict=True)]
            g, out = (gs, outs) if len(outs) > 1 else (gs[0], outs[0])
            return tuple([vjp and vjp(g, out, *args, **ctx.options) for vjp in vjps])
        function = type(name, (autograd.Function,), {"forward": staticmethod(run), "backward": staticmethod(back)})
        return one_for_each(len(vjps), lambda *args, **options: function.apply(*args, **options))

    def custom(forward, vjps, name="planted", form="function"):
        return (as_operation if form == "operation" else as_function)(forward, vjps, name)

    def check(case, seed, examples):
        import hypothesis

        from autograd.testing import gradient_test, strategies
        settings = hypothesis.settings(database=None, phases=[hypothesis.Phase.generate], report_multiple_bugs=False)
        arguments = case.arguments(strategies) if case.arguments else []
        unhurried = {"seconds": None} if "seconds" in inspect.signature(gradient_test).parameters else {}
        test = gradient_test(case.function(), *arguments, max_examples=examples, settings=settings, order=case.order,
                             **unhurried, **case.domain)
        hypothesis.seed(seed)(test.hypothesis_test)
        test()
    pt = Namespace(autograd, F=nn.functional)
    return Namespace(numpy), pt, look, custom, check


def torch():
    import torch
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    renamed = {"axis": "dim", "keepdims": "keepdim"}

    def wrap(function):
        def call(*args, **options):
            options = {renamed.get(key, key): value for key, value in options.items() if value is not None}
            return function(*[torch.as_tensor(a) if isinstance(a, numpy.ndarray) else a for a in args], **options)
        return call

    def two(function):
        return lambda x, y: function(torch.as_tensor(x), torch.as_tensor(y))

    def along(function):
        def call(x, axis=None, keepdims=False):
            return function(x, tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims)
        return call

    def spread(function):
        return lambda x, axis=None, keepdims=False, ddof=0: function(x, dim=axis, keepdim=keepdims, correction=ddof)

    def look(x):
        return x.detach().numpy() if isinstance(x, torch.Tensor) else x

    def custom(forward, vjps, name="planted", form="function"):
        class Planted(torch.autograd.Function):
            @staticmethod
            def forward(ctx, options, *args):
                out = forward(*args, **options)
                ctx.options, ctx.constants = options, [None if isinstance(a, torch.Tensor) else a for a in args]
                ctx.save_for_backward(*[a if isinstance(a, torch.Tensor) else None for a in args],
                                      *(out if isinstance(out, tuple) else (out,)))
                return out

            @staticmethod
            def backward(ctx, *gs):
                args, outs = ctx.saved_tensors[:len(ctx.constants)], ctx.saved_tensors[len(ctx.constants):]
                args = [b if a is None else a for a, b in zip(args, ctx.constants, strict=True)]
                g, out = (gs, outs) if len(outs) > 1 else (gs[0], outs[0])
                return None, *[vjp and vjp(g, out, *args, **ctx.options) for vjp in vjps]
        return lambda *args, **options: Planted.apply(options, *args)

    def check(case, seed, examples):
        args, options = point(case, seed)
        partly = Partly(case.function(), [torch.as_tensor(a) if isinstance(a, numpy.ndarray) and a.dtype.kind != "f"
                                          else a for a in args], options)
        inputs = tuple([torch.tensor(x, requires_grad=True) for x in partly.floating])
        torch.autograd.gradcheck(partly, inputs)
        if case.order > 1:
            torch.autograd.gradgradcheck(partly, inputs)
    np = Namespace(torch, wrap, maximum=two(torch.maximum), minimum=two(torch.minimum), max=along(torch.amax),
                   min=along(torch.amin), std=spread(torch.std), var=spread(torch.var), concatenate=wrap(torch.cat),
                   expand_dims=torch.unsqueeze, power=two(torch.pow), logaddexp=two(torch.logaddexp),
                   hypot=two(torch.hypot), mod=torch.remainder, absolute=torch.abs, array=torch.as_tensor,
                   asarray=torch.as_tensor, sort=lambda x, axis=-1: torch.sort(x, dim=axis).values,
                   transpose=lambda x, axes=None: x.permute(axes or tuple(range(x.ndim))[::-1]),
                   roll=lambda x, shift, axis: torch.roll(x, shift, axis),
                   cumsum=lambda x, axis: torch.cumsum(x, axis), cumprod=lambda x, axis: torch.cumprod(x, axis),
                   flip=lambda x, axis=None: torch.flip(x, (axis,) if isinstance(axis, int) else
                                                        tuple(range(x.ndim)) if axis is None else axis),
                   take_along_axis=lambda x, i, axis: torch.take_along_dim(x, torch.as_tensor(i), axis),
                   pi=math.pi, inf=math.inf, nan=math.nan)
    pt = Namespace(torch, F=torch.nn.functional)
    return np, pt, look, custom, check


def jax():
    import jax
    import jax.numpy
    from jax.test_util import check_grads
    jax.config.update("jax_enable_x64", True)

    def look(x):
        while isinstance(x, jax.core.Tracer):
            if not hasattr(x, "primal"):
                raise InexpressibleError("the value of a tracer")
            x = x.primal
        return numpy.asarray(x)

    def custom(forward, vjps, name="planted", form="function"):
        def call(*args, **options):
            places = [i for i, a in enumerate(args) if isinstance(a, jax.Array) or is_floating(a)]

            def full(floating):
                merged = list(args)
                for i, x in zip(places, floating, strict=True):
                    merged[i] = x
                return merged
            planted = jax.custom_vjp(lambda *floating: forward(*full(floating), **options))

            def run(*floating):
                out = forward(*full(floating), **options)
                return out, (floating, out)

            def back(kept, g):
                floating, out = kept
                return tuple([sum_to(vjps[i](g, out, *full(floating), **options), x)
                              for i, x in zip(places, floating, strict=True)])
            planted.defvjp(run, back)
            return planted(*[args[i] for i in places])
        return call

    def check(case, seed, examples):
        partly = Partly(case.function(), *point(case, seed))
        check_grads(partly, [jax.numpy.asarray(x) for x in partly.floating], order=case.order, modes=["rev"])
    return Namespace(jax.numpy), Namespace(None), look, custom, check


def hips():
    import autograd.builtins
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    import autograd.numpy

    def look(x):
        while hasattr(x, "_value"):
            x = x._value
        return x

    def custom(forward, vjps, name="planted", form="function"):
        planted = primitive(forward)

        def maker(vjp):
            return lambda out, *args, **options: lambda g: sum_to(vjp(g, out, *args, **options), args[vjps.index(vjp)])
        defvjp(planted, *[maker(vjp) if vjp else None for vjp in vjps])
        return planted

    def check(case, seed, examples):
        partly = Partly(case.function(), *point(case, seed))
        count = len(partly.floating)

        def several(*args):
            result = partly(*args)
            return autograd.builtins.tuple(result) if isinstance(result, tuple) else result
        argnums = tuple(range(count)) if count > 1 else 0
        check_grads(several, argnums, modes=["rev"], order=case.order)(*partly.floating)

    def take_along_axis(x, index, axis):
        places = numpy.ogrid[tuple(slice(n) for n in index.shape)]
        return x[tuple(index if i == axis % x.ndim else place for i, place in enumerate(places))]

    def flip(x, axis):
        return x[tuple(slice(None, None, -1) if i == axis % x.ndim else slice(None) for i in range(x.ndim))]
    np = Namespace(autograd.numpy, take_along_axis=take_along_axis, flip=flip)
    return np, Namespace(None), look, custom, check


np, pt, look, custom, check = {"gradcircuit": gradcircuit, "torch": torch, "jax": jax, "hips": hips}[ENGINE]()


def only_in(*engines):
    """Raise if this engine has no such thing."""
    if ENGINE not in engines:
        raise InexpressibleError("there is no such thing in this engine")


def strides(x):
    """How far apart elements lie, by axis; zero, falling."""
    only_in("gradcircuit", "torch", "hips")
    return look(x).strides


def backwards(x):
    """Whether an axis runs backwards in memory."""
    only_in("gradcircuit", "hips")
    return any(n < 0 for n in look(x).strides)


def read_only(x):
    """Whether memory may not be written to."""
    only_in("gradcircuit", "hips")
    return isinstance(look(x), numpy.ndarray) and not look(x).flags.writeable


def write(x, value):
    """Write into the memory of an argument, as careless code does."""
    only_in("gradcircuit", "torch", "hips")
    if isinstance(look(x), numpy.ndarray):  # and no scalar of NumPy
        look(x)[...] = look(value)


def verdict(error):
    """What a checker has said, in a word: passed, accused, undecided, inexpressible."""
    if error is None:
        return "passed"
    text = str(error)
    if ENGINE == "gradcircuit":
        return "undecided" if "lies on a kink" in text or type(error).__name__ == "UndecidedError" else "accused"
    comparison = isinstance(error, AssertionError) and (ENGINE != "hips" or "check of" in text)
    return "accused" if comparison or type(error).__name__ == "GradcheckError" else "inexpressible"


def outcome(case, seed, examples=100):
    """Check one case: (verdict, seconds, first line of the message)."""
    begin, error = time.perf_counter(), None
    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            check(case, seed, examples)
        except Exception as caught:
            error = caught
    said = "" if error is None else f"{type(error).__name__}: {str(error).strip()}".splitlines()[0]
    return verdict(error), time.perf_counter() - begin, said[:200]


def main():
    """CATALOGUE_ENGINE=torch python tests/testing/engines.py seed,seed,… examples [name part]"""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.path[0:1] = []  # a peer may be called as this project is: it is imported already, and only `tests` is ours
    sys.path.append(root)
    sys.modules["tests.testing.engines"] = sys.modules["__main__"]
    from tests.testing.plants import PLANTS
    from tests.testing.right import RIGHT
    plants = dict(PLANTS)
    if ENGINE == "gradcircuit":
        from tests.testing.plants_in_table import FAULTS
        plants |= {f"in the table: {name}": case for name, case in FAULTS.items()}
    seeds, examples, part = sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
    for kind, cases in (("plant", plants), ("right", RIGHT)):
        for name, case in cases.items():
            if part not in name:
                continue
            for seed in map(int, seeds.split(",")):
                with contextlib.redirect_stdout(sys.stderr):
                    word, seconds, said = outcome(case, seed, examples)
                print(json.dumps({"kind": kind, "name": name, "seed": seed, "verdict": word,
                                  "seconds": round(seconds, 4), "said": said}), flush=True)


if __name__ == "__main__":
    main()

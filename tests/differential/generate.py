"""Programs of 5 to 30 statements, written one statement at a time while PyTorch runs them.

What a statement may do follows from what there is: PyTorch's tensors say shapes, dtypes and values. Most statements
call an operation of the table with arguments that its own `samples` draw; only here the arrays that they draw are
mostly tensors of the program, or views of them. So an operation that is declared tomorrow takes part. The others are
`TEMPLATES`.
"""

import functools
import inspect
import math
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

import autograd
import nn
from autograd.samples import call
from autograd.table import FUNCTIONS, TABLE
from autograd.tensor import Tensor
from tests.differential.run import compiled, quiet, there, usable
from tests.nn.layers import CASES

DTYPES = ("float64", "float32", "float16")
ODD = (0.0, -0.0, math.inf, -math.inf, math.nan, 1e-30, -1e-30, 1e20, 1e-310, 3e4, 1.0, 1.0)
LARGE = 24
"""Longer arrays are written as a formula."""
OPERATORS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**",
             "matmul": "@", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=", "and": "&", "or": "|",
             "xor": "^", "lshift": "<<", "rshift": ">>"}
NOT_UNIQUE = {
    "_svd": "singular vectors are unique up to their signs", "linalg_eigh": "eigenvectors are unique up to their signs",
    "eigh": "eigenvectors are unique up to their signs", "_eigh": "eigenvectors are unique up to their signs",
    "_to": "written by a statement of its own", "bernoulli": "random", "_getitem": "a statement of its own",
    "_setitem": "a statement of its own", "_put": "not PyTorch's put", "_scatter": "not PyTorch's scatter"}
"""Operations that are not called as the table declares them."""
NOT_YET = {
    "_bessel_i", "_cholesky_ex", "_cond", "_eig", "_eigen", "_eigvals", "_eliminated", "_gamma_density",
    "_gamma_quantile_bend", "_gamma_quantile_slope", "_householder_product", "_i0e", "_i1", "_i1e", "_inv_ex",
    "_linalg_lu", "_linalg_lu_solve", "_linalg_vander", "_log_bessel", "_lstsq", "_lu_factor", "_lu_factor_ex",
    "_matrix_rank", "_scatter_extreme", "_solve_ex", "_spread", "_tensorinv", "_tensorsolve", "_vecdot", "_zeta",
    "addbmm", "addmv", "addr", "atleast_1d", "atleast_2d", "atleast_3d", "bincount", "block_diag", "bucketize",
    "cartesian_prod", "cdist", "chain_matmul", "cholesky_inverse", "cholesky_solve", "column_stack", "combinations",
    "copysign", "corrcoef", "cov", "cumulative_trapezoid", "diagflat", "diagonal_scatter", "dsplit", "dstack",
    "fliplr", "flipud", "float_power", "frexp", "gcd", "heaviside", "histc", "hsplit", "i0", "igamma", "igammac",
    "index_put", "index_reduce", "isin", "lcm", "ldexp", "lu", "lu_solve", "lu_unpack", "masked_scatter",
    "matrix_exp", "mode", "nanmedian", "nanquantile", "nextafter", "pdist", "pinverse", "put", "quantile", "rsub",
    "scatter_reduce", "searchsorted", "select_scatter", "slice_scatter", "split_with_sizes", "svd",
    "triangular_solve", "unique", "unique_consecutive", "vander", "vsplit"}
"""Operations that are compared by tests of their own alone, so far."""


def forms(op: Any) -> list[tuple[str, str]]:
    """How an operation can be written in both libraries: (kind, name) pairs."""
    found = []
    for here, theirs, prefix in ((FUNCTIONS, torch, "torch."), (vars(autograd.linalg), torch.linalg, "torch.linalg."),
                                 (vars(autograd.special), torch.special, "torch.special."),
                                 (vars(nn.functional), torch.nn.functional, "F.")):
        found += [("function", prefix + name) for name, value in here.items()
                  if value is op.call and callable(getattr(theirs, name, None))]
    for name, value in vars(Tensor).items():
        if value is op.call and name.startswith("__"):
            symbol = OPERATORS.get(name.strip("_"))
            found += [("operator", symbol)] * 2 if symbol else []
            if symbol and hasattr(Tensor, "__i" + name[2:]):
                found.append(("operator in place", symbol + "="))
        elif value is op.call and hasattr(torch.Tensor, name):
            found.append(("method", name))
            if hasattr(Tensor, name + "_") and hasattr(torch.Tensor, name + "_"):
                found += [("method in place", name + "_")] * 2
    return found


CALLABLE = [(op, how) for name, op in TABLE.items()
            if name not in NOT_UNIQUE and name not in NOT_YET and (how := forms(op))]


class Draw:
    """What `samples` draw from (see `autograd.testing.Draw`), where an array is mostly a tensor of the program."""

    def __init__(self, writer: "Writer") -> None:
        self.writer, self.random = writer, writer.random

    def boolean(self) -> bool:
        return self.random.random() < 0.5

    def integer(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def choice(self, options: Sequence) -> Any:
        return self.random.choice(options)

    def shape(self, min_dims: int = 0, max_dims: int = 3, min_side: int = 0) -> tuple[int, ...]:
        least = 0 if min_side == 0 and self.random.random() < 0.08 else max(1, min_side)
        return tuple(self.integer(least, max(3, least)) for _ in range(self.integer(min_dims, max_dims)))

    def array(self, shape: tuple[int, ...] | None = None, low: float = -2, high: float = 2,
              away_from: Sequence[float] = (), distinct: bool = False, min_dims: int = 0,
              min_side: int = 0) -> np.ndarray:
        if self.random.random() < 0.9:
            operand = self.writer.operand(shape, min_dims, min_side)
            if operand is not None:
                return operand
        return self.writer.fresh(self.shape(min_dims, 3, min_side) if shape is None else tuple(shape), low, high)

    def broadcastable(self, count: int, **domain: Any) -> tuple[np.ndarray, ...]:
        first = self.array(**domain)
        others = [self.array(shape=self._lesser(first.shape), **domain) for _ in range(count - 1)]
        several = [first, *others]
        self.random.shuffle(several)
        return tuple(several)

    def _lesser(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape that broadcasts to this one."""
        if self.random.random() < 0.5:
            return shape
        return tuple(n if self.random.random() < 0.6 else 1 for n in shape[self.integer(0, len(shape)):])

    def alike(self, count: int, vary: int | None = None, min_dims: int = 1) -> list[np.ndarray]:
        several = [self.array(min_dims=min_dims)]
        for _ in range(count - 1):
            shape = list(several[0].shape)
            if vary is not None and shape:
                shape[vary] = self.integer(0 if shape[vary] == 0 else 1, 3)
            several.append(self.array(tuple(shape)))
        return several

    def matmul_operands(self) -> tuple[np.ndarray, ...]:
        x = self.array(min_dims=1)
        n, m = x.shape[-1], self.integer(1, 3)
        shape = self.choice([(n,), (n, m), (n, m), (*x.shape[:-2], n, m)])
        return x, self.array(shape)

    def mask(self, like: np.ndarray | None = None, shape: tuple[int, ...] | None = None) -> np.ndarray:
        shape = like.shape if like is not None else shape
        mask = self.writer.operand(shape, kinds="b") if self.boolean() else None
        if mask is not None:
            return mask
        return np.array([self.boolean() for _ in range(math.prod(shape))], bool).reshape(shape)

    def dim(self, ndim: int) -> int:
        return self.random.randrange(-ndim, ndim) if ndim else 0

    def dims(self, ndim: int) -> int | tuple[int, ...] | None:
        if not ndim or self.random.random() < 0.25:
            return None
        if self.boolean():
            return self.dim(ndim)
        return tuple(self.random.sample(range(ndim), self.integer(1, ndim)))

    def permutation(self, n: int) -> tuple[int, ...]:
        return tuple(self.random.sample(range(n), n))

    def stretched(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        longer = [self.integer(1, 3) if n == 1 else n for n in shape]
        return (*([self.integer(1, 2)] if self.boolean() else []), *longer)

    def positions(self, shape: tuple[int, ...], dim: int) -> np.ndarray:
        dim = dim % len(shape) if shape else 0
        size = tuple(self.integer(1, 3) if i == dim else n for i, n in enumerate(shape))
        limit = shape[dim] if shape else 1
        positions = [self.random.randrange(limit) for _ in range(math.prod(size))] if limit else []
        return np.array(positions, np.int64).reshape(size if limit else (0,) * len(shape))

    def index(self, shape: tuple[int, ...]) -> tuple:
        if shape and self.random.random() < 0.15:
            return (self.mask(shape=shape[:self.integer(1, len(shape))]),)
        size, index = self.integer(1, 3), []
        for n in shape[:self.integer(0, len(shape))]:
            kind = self.choice(["slice", "slice", "number", "array", "new axis"])
            if kind == "number" and n:
                index.append(self.random.randrange(-n, n))
            elif kind == "array" and n:
                index.append(np.array([self.random.randrange(-n, n) for _ in range(size)]))
            elif kind == "new axis":
                index += [None, slice(None)]
            else:
                start = self.choice([None, 0, 1, -1, -2])
                index.append(slice(start, self.choice([None, None, 1, 2, -1]), self.choice([None, None, None, 2])))
        if not index or self.random.random() < 0.2:
            index.append(Ellipsis)
        return tuple(index)

    def einsum(self) -> Any:
        sizes = {letter: self.integer(1, 3) for letter in "ijk"}
        terms = ["".join(self.choice("ijk") for _ in range(self.integer(0, 3))) for _ in range(self.integer(1, 3))]
        operands = [self.array(tuple(sizes[letter] for letter in term)) for term in terms]
        present = sorted({letter for term in terms for letter in term})
        output = "->" + "".join(self.random.sample(present, self.integer(0, len(present)))) if self.boolean() else ""
        return call(*operands, equation=",".join(terms) + output)


def arguments(op: Any, draw: Draw) -> tuple[tuple, dict]:
    """Arguments and options: what `samples` gives, else arrays that broadcast; then axes, where they may be given."""
    if op.samples:
        args, options = op.samples(draw)
    else:
        needed = [name for name, default in op.arguments.items() if default is inspect.Parameter.empty]
        args, options = draw.broadcastable(len(needed)) if len(needed) > 1 else (draw.array(),), {}
    free = [name for name in (*op.arguments, *op.options) if name not in options][len(args):]
    if "dim" in free and draw.boolean() and isinstance(args[0], np.ndarray):
        options = {**options, "dim": draw.dim(args[0].ndim)}
        if "keepdim" in free:
            options["keepdim"] = draw.boolean()
    return args, options


class Writer:
    """A program that is being written, and its state in PyTorch."""

    def __init__(self, seed: Any) -> None:
        self.random = random.Random(seed)
        self.draw = Draw(self)
        self.lines: list[str] = []
        self.scope = there()
        self.texts: dict[int, tuple[str, Any]] = {}
        self.count = 0
        self.dtypes = self.random.choices([["float64"], ["float32"], ["float16"], [*DTYPES, "int64", "int32", "bool"]],
                                          [70, 15, 5, 10])[0]
        self.odd = self.random.random() < 0.15

    # The program

    def write(self, line: str) -> bool:
        """Run a line in PyTorch and, if PyTorch takes it, add it. A refusal is rarely kept, to be compared."""
        try:
            exec(compiled(line), self.scope)
        except (TypeError, NotImplementedError, SyntaxError):
            return False
        except Exception:
            if self.random.random() < 0.03:
                self.lines.append(line)
            return False
        self.lines.append(line)
        return True

    def new(self) -> str:
        """A name for another tensor."""
        self.count += 1
        letters = "abcdeijklnopqrstuvwxyz"
        return letters[self.count - 1] if self.count <= len(letters) else f"t{self.count}"

    def tensors(self, kinds: str = "f", small: int = 64) -> dict[str, Any]:
        """Expression -> tensor, for what the program has."""
        found = {}
        for name, value in self.scope.items():
            parts = ([(name, value)] if isinstance(value, torch.Tensor) else
                     [(f"{name}[{i}]", part) for i, part in enumerate(value)]
                     if isinstance(value, (tuple, list)) and name[0] != "_" else [])
            for text, t in parts:
                if isinstance(t, torch.Tensor) and t.numel() <= small and usable(t):
                    kind = "f" if t.dtype.is_floating_point else "b" if t.dtype == torch.bool else "i"
                    if kind in kinds:
                        found[text] = t
        return found

    def pick(self, kinds: str = "f", fits: Callable[[Any], bool] = lambda t: True) -> str | None:
        """The expression of one of the tensors; rather of one with usual values, and rather of a late one."""
        names = [name for name, t in self.tensors(kinds).items() if fits(t)]
        for _ in range(4):
            if not names:
                return None
            name = names[max(self.random.randrange(len(names)), self.random.randrange(len(names)))]
            values = self.value(name)
            with np.errstate(all="ignore"):
                if values.dtype.kind != "f" or self.odd or not values.size or np.abs(values).max() < 1e3:
                    return name
        return name if self.random.random() < 0.1 else None

    def value(self, text: str) -> np.ndarray:
        """The value of an expression."""
        t = self.scope.get(text)
        if t is None:
            with torch.no_grad():
                t = eval(compiled(text, "eval"), self.scope)
        return t.detach().numpy()

    def operand(self, shape: tuple[int, ...] | None = None, min_dims: int = 0, min_side: int = 0,
                kinds: str | None = None) -> np.ndarray | None:
        """A tensor of the program, or now and then a view of one: its value, which `text` will recognize."""
        def fits(t: Any) -> bool:
            return (tuple(t.shape) == tuple(shape) if shape is not None else
                    t.ndim >= min_dims and (min_side == 0 or all(n >= min_side for n in t.shape)))
        kinds = kinds or ("fib" if len(self.dtypes) > 1 and self.random.random() < 0.5 else "f")
        name = self.pick(kinds, fits)
        if name is None:
            return None
        value = self.value(name)
        if shape is None and self.random.random() < 0.12:
            view = self.view(name)
            try:
                seen = self.value(view)
            except Exception:
                seen = value
            if fits(seen) and seen is not value:
                name, value = view, seen
        self.texts[id(value)] = name, value
        return value

    def fresh(self, shape: tuple[int, ...], low: float = -2, high: float = 2) -> np.ndarray:
        """New numbers: quarters, some of them equal."""
        size = math.prod(shape)
        if size > LARGE:
            factor, modulus = self.random.choice([(1, 7), (3, 11), (5, 13)])
            value = ((np.arange(size) * factor % modulus - modulus // 2) / 4).reshape(shape)
            text = f"((torch.arange({size}) * {factor} % {modulus} - {modulus // 2}) / 4).reshape({shape})"
            dtype = self.random.choice(self.dtypes)
            self.texts[id(value)] = f"{text}.to(torch.{dtype})", value
            return value
        grid = np.arange(math.ceil(low * 4), math.floor(high * 4) + 1) / 4
        numbers = [float(self.random.choice(ODD if self.odd and self.random.random() < 0.3 else grid))
                   for _ in range(size)]
        return np.array(numbers, float).reshape(shape)

    def text(self, value: Any) -> str:
        """Python for an argument."""
        if id(value) in self.texts:
            return self.texts[id(value)][0]
        if isinstance(value, np.ndarray):
            return self.literal(value)
        if isinstance(value, np.dtype):
            return f"torch.{value}"
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, list):
            return f"[{', '.join(map(self.text, value))}]"
        if isinstance(value, tuple):
            return f"({', '.join(map(self.text, value))}{',' * (len(value) == 1)})"
        if isinstance(value, slice):
            parts = [("" if part is None else str(part)) for part in (value.start, value.stop, value.step)]
            return ":".join(parts[:2]) + (f":{parts[2]}" if parts[2] else "")
        return "..." if value is Ellipsis else repr(value)

    def literal(self, value: np.ndarray, requires_grad: bool = False) -> str:
        """`torch.tensor(...)`."""
        if value.dtype.kind != "f":
            dtype = "bool" if value.dtype.kind == "b" else "int64"
            return (f"torch.tensor({value.tolist()})" if value.size else
                    f"torch.zeros({value.shape}, dtype=torch.{dtype})")
        dtype = self.random.choice(self.dtypes)
        if dtype in ("int64", "int32", "bool"):
            with np.errstate(all="ignore"):
                value = np.nan_to_num(value, posinf=3, neginf=-3).clip(-100, 100).astype(dtype)
        grad = ", requires_grad=True" if requires_grad and dtype in DTYPES else ""
        if not value.size:
            return f"torch.zeros({value.shape}, dtype=torch.{dtype}{grad})"
        return f"torch.tensor({value.tolist()}, dtype=torch.{dtype}{grad})"

    def leaf(self, value: np.ndarray | None = None) -> str | None:
        """Write a line that makes a leaf; its name."""
        name = self.new()
        value = self.fresh(self.draw.shape()) if value is None else value
        known = self.texts.get(id(value))
        line = self.literal(value, self.random.random() < 0.75) if known is None else known[0] + ".requires_grad_()"
        return name if self.write(f"{name} = {line}") else None

    def view(self, name: str) -> str:
        """An expression that is a view of a tensor."""
        shape = tuple(eval(name, self.scope).shape)
        dims = {key: self.draw.dim(len(shape)) for key in ("d", "e")}
        n = shape[dims["d"]] if shape else 1
        return self.random.choice(VIEWS if shape else VIEWS_WITHOUT_AXES).format(
            x=name, **dims, n=max(n - 1, 0), i=self.random.randrange(-n, n) if n else 0, two=min(n, 2),
            order=self.draw.permutation(len(shape)), longer=(*shape, 1), more=(2, *shape))


class Holes(dict):
    """What stands in a template for each name, chosen when it is first asked for."""

    def __init__(self, writer: Writer) -> None:
        super().__init__()
        self.w = writer

    def __missing__(self, key: str) -> str:
        self[key] = text = getattr(self, "_" + key[0])()
        if text is None:
            raise LookupError(f"the program has nothing that could be {key}")
        return text

    def _n(self) -> str:  # a new name
        return self.w.new()

    def _x(self) -> str | None:  # any tensor
        return self.w.pick()

    def _a(self) -> str | None:  # of any dtype
        return self.w.pick("fib")

    def _w(self) -> str | None:  # one that may be written to while recording
        return self.w.pick(fits=lambda t: not (t.requires_grad and t.is_leaf)) or self.w.pick()

    def _t(self) -> str | None:  # one that requires gradients
        return self.w.pick(fits=lambda t: t.requires_grad)

    def _l(self) -> str | None:  # a leaf that has a gradient
        return self.w.pick(fits=lambda t: t.is_leaf and t.grad is not None)

    def _v(self) -> str:  # a view of x
        return self.w.view(self["x"])

    def _p(self) -> str:  # a place to write to: w or a view of it
        return self.w.view(self["w"]) if self.w.random.random() < 0.6 else self["w"]

    def _i(self) -> str:  # an index into p
        return ", ".join(map(self.w.text, self.w.draw.index(self.w.value(self["p"]).shape)))

    def _o(self) -> str:  # another tensor, that broadcasts to p
        shape = self.w.value(self["p"]).shape
        return self.w.text(self.w.draw.array(shape=shape if self.w.random.random() < 0.6 else shape[1:]))

    def _g(self) -> str:  # a gradient of t
        text = self.w.text(self.w.draw.array(shape=self.w.value(self["t"]).shape))
        return text if text.startswith("torch") else f"{text}.detach()"

    def _k(self) -> str:  # a number
        return self.w.random.choice(["0", "1", "2.5", "-1"])

    def _r(self) -> str:  # whether the graph stays
        return self.w.random.choice(["retain_graph=True"] * 3 + ["", "create_graph=True"])

    def _c(self) -> str:  # of a second derivative
        return self.w.random.choice(["create_graph=True"] * 3 + ["retain_graph=True"])


def _lines(text: str) -> list[str]:
    """Alternatives, separated by two spaces or more."""
    return [part for line in text.strip().splitlines() for part in re.split(r" {2,}", line.strip())]


VIEWS = _lines("""
    {x}[{i}]  {x}[1:]  {x}[:-1]  {x}[..., 0]  {x}[..., ::2]  {x}[None]  {x}.view(-1)  {x}.view({longer})
    {x}.reshape(-1)  {x}.flatten()  {x}.unsqueeze({d})  {x}.squeeze()  {x}.squeeze({d})  {x}.transpose({d}, {e})
    {x}.narrow({d}, 0, {n})  {x}.select({d}, {i})  {x}.unbind({d})[0]  {x}.chunk(2, {d})[-1]
    {x}.split(1, {d})[0]  {x}.unfold({d}, {two}, 1)
    {x}.expand({more})  {x}.movedim({d}, {e})  {x}.permute({order})  {x}.view_as({x})  {x}.diagonal()  {x}.t()  {x}.T
    {x}.detach()  {x}.detach()[..., 0]  {x}.data[1:]
""")
VIEWS_WITHOUT_AXES = _lines("{x}.view(1)  {x}[None]  {x}.unsqueeze(0)  {x}.expand(2)  {x}[...]  {x}.reshape(1, 1)")

TEMPLATES: list[tuple[int, list[str]]] = [(weight, _lines(text)) for weight, text in [
    (6, """
        {new} = {x} * 2  {new} = 1 - {x}  {new} = {x} / 4  {new} = 2 / {x}  {new} = {x} ** 2  {new} = {x} ** 3
        {new} = 2 ** {x}  {new} = -{x}  {new} = {x} % 2  {new} = {x} // 0.5  {new} = {x} ** -1  {new} = {x} ** 0.5
        {new} = {x}.sum() * {x}  {new} = {x} > 0  {new} = {x} + {x}  {new} = {x} * {x}  {new} = {x} ** {x}
    """),
    (8, "{new} = {view}"),
    (3, "{new} = {place}[{index}]"),
    (14, """
        {place}.zero_()  {place}.add_({k})  {place}.mul_({other})  {place}.copy_({other})  {place}.fill_({k})
        {place}.add_({other}, alpha=2)  {place}.clamp_(min=0)  {place}.masked_fill_({place} > 0, {k})  {place}.sin_()
        {place}.exp_()  {place}.sub_({place})  {place}.div_(2)  {place}.neg_()  {place}[{index}] = {k}
        {place}[{index}] += {k}  {place}[...] = {other}  {place}[{index}] = {other}  {place}[{index}] *= {k}
        {place}.index_fill_(0, torch.tensor([0]), {k})  {place}.square_()  {place}.relu_()  {place}.pow_(2)
        {w}.t_()  {w}.unsqueeze_(0)  {w}.squeeze_()  {place}.masked_fill_({place}.detach() < 0, {k})
        {w} += {other}  {w} *= {k}  {w} -= {w}
    """),
    (3, """
        with torch.no_grad(): {place}.mul_(2)  with torch.no_grad(): {place}.zero_()
        with torch.no_grad(): {place}[{index}] = {k}  with torch.no_grad(): {place}.copy_({other})
        with torch.no_grad(): {w} += {k}  with torch.no_grad(): {x}.mul_({x})  {x}.data.mul_(2)  {x}.data[0] = 1
    """),
    (3, "  ".join(f"{{new}} = F.{name}({{w}}, inplace=True)" for name in (
        "relu", "elu", "celu", "selu", "leaky_relu", "silu", "mish", "hardswish", "hardsigmoid", "hardtanh", "relu6"))
        + "  {new} = torch.nn.ReLU(inplace=True)({w})"),
    (6, """
        {new} = {x}.detach()  {new} = {x}.clone()  {new} = {x}.detach().clone().requires_grad_()  {t}.retain_grad()
        {t}.retain_grad()  {new} = {x}  {new} = {x}.data  {x}.requires_grad_()  {x}.detach_()  {x}.requires_grad_(False)
        {new} = torch.zeros_like({x})  {new} = {x}.contiguous()  {new} = torch.tensor({x}.tolist())
        with torch.no_grad(): {new} = {x} * 2  with torch.no_grad(): {new} = {view}
    """),
    (3, """
        {new} = {a}.double()  {new} = {a}.float()  {new} = {a}.half()  {new} = {a}.long()  {new} = {a}.bool()
        {new} = {a}.int()  {new} = {a}.to(torch.float32)  {new} = {a}.to(torch.float64)  {new} = {a} + {x}
    """),
    (5, """
        h{new} = {t}.register_hook(lambda g: g * 2)  h{new} = {t}.register_hook(lambda g: None)
        h{new} = {t}.register_hook(lambda g: -g)  h{new} = {t}.register_hook(lambda g: g.clone().mul_(3))
        h{new} = {t}.register_hook(lambda g: g.clamp(min=0))  h{new} = {t}.register_hook(lambda g: torch.zeros_like(g))
        h{new} = {t}.register_hook(lambda g: g + g.mean())  h{new} = {t}.register_hook(lambda g: g.detach())
        {new} = [];h{new} = {t}.register_hook(lambda g: {new}.append(g.clone()))
        h{new} = {t}.register_hook(lambda g: g.mul_(3))  h{new} = {t}.register_hook(lambda g: (g.zero_(), None)[1])
        h{new} = {t}.register_hook(lambda g: g * 5);{t}.sum().backward(retain_graph=True);h{new}.remove()
    """),
    (6, """
        {t}.sum().backward({r})  ({t} * {t}).sum().backward({r})  {t}.backward({g}, {r})  {t}.sum().backward({r})
        {t}.backward(torch.ones_like({t}))  {t}.sum().backward(inputs=[{t2}], {r})
    """),
    (6, """
        {new} = torch.autograd.grad({t}.sum(), [{t2}], {c}, allow_unused=True)
        {new} = torch.autograd.grad(({t} * {t}).sum(), [{t2}], {c}, allow_unused=True)
        {new} = torch.autograd.grad({t}.sin().sum(), [{t2}, {t3}], {c}, allow_unused=True)
        {new} = torch.autograd.grad({t}, {t2}, {g}, {c}, allow_unused=True)
    """),
    (4, """
        {l}.grad.zero_()  {l}.grad = None  {l}.grad.mul_(2)  {l}.grad += 1  {new} = {l}.grad  {l}.grad.clamp_(min=0)
        {l}.grad = {l}.grad * 2  with torch.no_grad(): {l}.sub_({l}.grad)  with torch.no_grad(): {l} -= {l}.grad * 0.5
        {l}.grad = torch.ones_like({l})  {new} = {l}.grad.detach().clone()  with torch.no_grad(): {l}.zero_()
    """)]]
"""(how often, alternatives): statements with holes, and several of them between semicolons."""


def from_template(w: Writer, templates: list[str]) -> None:
    """Fill one of the templates."""
    holes = Holes(w)
    try:
        lines = w.random.choice(templates).format_map(holes).split(";")
    except (LookupError, RuntimeError, ValueError):  # nothing fits, or there is no such view of it
        return
    for line in lines:
        if not w.write(line.replace("(, ", "(").replace(", )", ")")):
            return


def an_operation(w: Writer) -> None:
    """Call an operation of the table: as a function, a method, an operator or in place."""
    op, how = w.random.choice(CALLABLE)
    args, options = arguments(op, w.draw)
    kind, name = w.random.choice(how)
    for a in args:  # new numbers become a leaf, so that there is a gradient
        if isinstance(a, np.ndarray) and a.dtype.kind == "f" and id(a) not in w.texts and w.random.random() < 0.6:
            leaf = w.leaf(a)
            if leaf:
                w.texts[id(a)] = leaf, a
    first, *others = map(w.text, args)
    given = ", ".join([*others, *(f"{key}={w.text(value)}" for key, value in options.items())])
    if kind == "function":
        line = f"{name}({', '.join(filter(None, (first, given)))})"
    elif "operator" in kind:
        line = f"{first} {name} {given or first}"
    else:
        line = f"{first}.{name}({given})"
    if not kind.endswith("in place"):
        w.write(f"{w.new()} = {line}")
    elif first.isidentifier() or (first[0].islower() and not first.startswith("torch") and "operator" not in kind):
        w.write(line)


def a_module(w: Writer) -> None:
    """Make one of the layers that `tests/nn/layers.py` lists, with known weights, and call it."""
    case = w.random.choice(MODULES)
    module, dtype = f"m{w.count}", "float64" if len(w.dtypes) > 1 else w.dtypes[0]
    w.count += 1
    given = [w.text(a) for a in case.args] + [f"{key}={w.text(value)}" for key, value in case.options.items()]
    if not w.write(f"{module} = torch.nn.{case.name}({', '.join(given)}).to(torch.{dtype}); _ = [p.data.copy_("
                   "(torch.arange(p.numel()) * 3 % 7 / 4 - 0.75 + i / 8).reshape(p.shape)) "
                   f"for i, p in enumerate({module}.parameters())]"):
        return
    inputs = []
    for x, trained in zip(case.inputs, case.trained, strict=True):
        live = w.operand(x.shape) if trained and w.random.random() < 0.2 else None
        if live is not None or not trained:
            inputs.append(w.text(x if live is None else live))
        else:
            leaf, fresh = w.new(), w.fresh(x.shape, *((0.25, 0.75) if x.min() > 0 else (-2, 2)))
            w.write(f"{leaf} = {w.text(fresh)}{'.sigmoid()' if x.min() > 0 else ''}.requires_grad_()")
            inputs.append(leaf if w.random.random() < 0.7 else f"{leaf} * 1")
    inputs += [f"{key}={w.text(value)}" for key, value in case.call.items()]
    if w.random.random() < 0.1:
        w.write(f"{module}.eval()")
    w.write(f"{w.new()} = {module}({', '.join(inputs)})")


def a_sum_of_products(w: Writer) -> None:
    """Call einsum, whose equation the table has as an option."""
    operands, options = w.draw.einsum()
    w.write(f"{w.new()} = torch.einsum({options['equation']!r}, {', '.join(map(w.text, operands))})")


MODULES = [case for case in CASES if hasattr(torch.nn, case.name)]
KINDS: list[tuple[int, Callable[[Writer], Any]]] = [
    (45, an_operation), (6, Writer.leaf), (4, a_module), (1, a_sum_of_products),
    *[(weight, functools.partial(from_template, templates=templates)) for weight, templates in TEMPLATES]]


@quiet
def program(seed: Any) -> list[str]:
    """The statements of a random program."""
    w = Writer(seed)
    for _ in range(w.random.randint(1, 3)):
        w.leaf()
    length = w.random.randint(4, 28)
    weights, kinds = zip(*KINDS, strict=True)
    for _ in range(3 * length):
        if len(w.lines) >= length:
            break
        w.texts.clear()
        w.random.choices(kinds, weights)[0](w)
    tracked = [name for name, t in w.tensors(small=1000).items() if t.requires_grad and not t.is_leaf]
    if tracked:
        ends = w.random.sample(tracked, min(len(tracked), w.random.randint(1, 3)))
        w.write(f"({' + '.join(w.random.choice([f'{x}.sum()', f'({x} * {x}).sum()']) for x in ends)}).backward()")
    return w.lines

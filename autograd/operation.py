"""An operation: what a declaration says, and what follows from it before anybody calls."""

import collections
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.errors import close_to, explained, form
from autograd.notation import Notation
from autograd.reads import ARRAY, NOTHING, what_it_reads
from autograd.runtime.elementwise import as_loop, in_one_loop, least

_SPELLINGS = {"axis": "dim", "axes": "dims", "keepdims": "keepdim", "size": "shape", "dims": "sizes",
              "repeats": "sizes", "split_size": "split_size_or_sections"}
"""NumPy's and PyTorch's names -> ours."""
NO_OPTIONS: dict = {}
PLAIN = {int, float, bool, str, slice, type(None), type(...)}
"""Types of options that cannot change."""
OF_MANY: dict[Callable, Callable] = {}
"""For forward functions, what computes the same of many numbers in less time (`operations/single.py`)."""
Count = Callable[[list, tuple[int, ...], dict], int]
"""Of the shapes of a call's arguments (None for one that has none), the shape of its (first) output, its options."""


def _signature(forward: Callable) -> inspect.Signature:
    if isinstance(forward, np.ufunc):
        names = ("input", "other")[:forward.nin]
    else:
        parameters = inspect.signature(forward).parameters.values()
        names = ("input", "other")[:len(parameters)]
        if any(p.kind is not p.POSITIONAL_ONLY for p in parameters):  # unlike Python's operators
            return inspect.Signature([p.replace(annotation=p.empty) for p in parameters])  # types are for checkers
    return inspect.Signature([inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names])


def _parameters(signature: inspect.Signature) -> tuple[dict[str, Any], bool, dict[str, Any]]:
    """Arguments with their defaults, whether there may be any number of them, and options with their defaults."""
    parameters = signature.parameters.values()
    arguments = {p.name: p.default for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)}
    options = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    return arguments, any(p.kind is p.VAR_POSITIONAL for p in parameters), options


class Operation:
    """One declaration of the table; see `operation` for what it holds."""

    fills = True
    """Whether a rule gets zeros for an output that no gradient has reached; a Function may want None."""

    def __init__(self, forward: Callable, vjps: tuple, joint_vjp: Callable | None, composition: Callable | None,
                 outputs: str | None, view: bool, samples: Callable | None, name: str, public: str = "",
                 flops: int | Count | None = None, multiply_adds: Count | None = None,
                 notation: Notation | None = None, adds: Callable | None = None) -> None:
        self.joint_vjp, self.composition, self.adds = joint_vjp, composition, adds
        self.view, self.samples, self.name, self.public = view, samples, name, public or name
        self.flops, self.multiply_adds, self.notation = flops, multiply_adds, notation
        self.signature = _signature(forward)
        self.arguments, self.variadic, self.options = _parameters(self.signature)
        self.forward, self.vjps = forward, vjps
        self.forward_of_many, self.vjps_of_many, self.many = forward, vjps, sys.maxsize
        if vjps and not outputs and not view:  # it may be elementwise
            self.forward_of_many, self.many = as_loop(OF_MANY.get(forward, forward)), least(forward, vjps)
            self.vjps_of_many = tuple([as_loop(rule, True) if rule else None for rule in vjps])
        self._in_one_loop: dict[tuple[bool, ...], Callable | None] = {}
        named = [name for name in self.signature.parameters if name not in self.options]
        theirs = {**_SPELLINGS, **dict(zip(("input", "other"), named, strict=False))}
        known = self.signature.parameters
        self.spellings = {name: ours for name, ours in theirs.items() if name not in known and ours in known}
        self.several = next((name for name, p in known.items() if p.kind is p.VAR_POSITIONAL), None)
        self.complete = inspect.Parameter.empty not in self.options.values()
        self.outputs = _AnyNumber if outputs == "*" else collections.namedtuple(name, outputs) if outputs else None
        self.differentiable = bool(vjps or joint_vjp)
        # The arguments that take part in type promotion: those with a derivative, where there are several.
        meeting = range(len(self.arguments)) if joint_vjp else [i for i, rule in enumerate(vjps) if rule]
        self.meeting = self.variadic or (tuple(meeting) if len(meeting) > 1 else ())
        self._reads: list[Any] = [None if rule is None else what_it_reads(rule) for rule in vjps or (joint_vjp,)]
        count = len(self.arguments)
        self.reads = tuple([tuple([i for i, level in enumerate(list(reads.values())[2:count + 2]) if level == ARRAY])
                            if reads else () for reads in self._reads])
        self.reads_out = tuple([bool(reads) and list(reads.values())[1] == ARRAY for reads in self._reads])
        self.unread = len(outputs.split()) if outputs and joint_vjp and [*self._reads[0]][1] == "kept" else 0
        self.keeps = composition is not None or any(ARRAY in list(reads.values())[1:] for reads in self._reads if reads)
        self._plans: dict[tuple, tuple] = {}

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def bind(self, args: tuple, kwargs: dict) -> tuple[Sequence, dict]:
        """A call's tensor arguments and its options, defaults filled in.

        Raises:
            TypeError: an argument is missing, unknown or given twice.
        """
        if len(args) == len(self.arguments) and not self.variadic:  # the usual calls need none of what follows
            if not kwargs and self.complete:
                return args, self.options
            if kwargs.keys() == self.options.keys():
                return args, kwargs
        given: dict[str, Any] = {self.spellings.get(key, key): value for key, value in kwargs.items()}
        if self.variadic:
            if self.several in given:
                if args:
                    raise self._unfit(args, kwargs, f"'{self.several}' is given twice.")
                args, kwargs = (given.pop(self.several),), given
            tensors, extra = ((args[0], args[1:]) if args and isinstance(args[0], (list, tuple)) else (args, ()))
        else:
            tensors, extra = list(args[:len(self.arguments)]), args[len(self.arguments):]
            for name, default in list(self.arguments.items())[len(tensors):]:
                tensors.append(given.pop(name, default))
                if tensors[-1] is inspect.Parameter.empty:
                    raise self._unfit(args, kwargs, f"the argument '{name}' is missing.")
        options = dict(self.options)
        if len(extra) > len(options) and all(isinstance(n, (int, np.integer)) and n is not True for n in extra):
            extra = (extra,)  # t.reshape(2, 3) for t.reshape((2, 3))
        if len(extra) > len(options):
            raise self._unfit(args, kwargs, f"{len(args)} arguments are too many.")
        by_place: dict[str, Any] = dict(zip(options, extra, strict=False))
        for key in kwargs:
            ours = self.spellings.get(key, key)
            if ours in by_place or (ours in self.arguments and ours in given):
                raise self._unfit(args, kwargs, f"'{key}' is given twice.")
            if ours not in options and ours not in self.arguments:
                known = [*self.signature.parameters, *[n for n, ours in self.spellings.items() if ours in options]]
                raise self._unfit(args, kwargs, f"there is no option '{key}'{close_to(key, known) or '.'}")
        options.update(by_place)
        options.update(given)
        for key, value in options.items():
            if value is inspect.Parameter.empty:
                raise self._unfit(args, kwargs, f"the option '{key}' is missing.")
        return tensors, options

    def _unfit(self, args: tuple, kwargs: dict, why: str) -> Exception:
        error = TypeError(f"{why} It is called {form(self.public, self.signature)}")
        return explained(error, self.public, args, kwargs)

    def plan(self, tracked: tuple[bool, ...]) -> tuple[int, tuple[int, ...]]:
        """How much to keep of the output and of each argument when these arguments are tracked."""
        plan = self._plans.get(tracked)
        if plan is None:
            count = len(tracked)
            rules = ([reads for reads, wanted in zip(self._reads, tracked, strict=True) if wanted and reads]
                     if self.vjps else self._reads)
            levels = [[NOTHING] * (count + 1)]
            for reads in rules:
                _, out, *each = reads.values()
                levels.append([out, *(each * count if self.variadic else each)][:count + 1])
            out, *each = map(max, zip(*levels, strict=True))
            if self.composition:  # the second derivative goes through the arguments
                each = [ARRAY] * count
            plan = self._plans[tracked] = out, tuple(each)
        return plan

    def at_once(self, wanted: tuple[bool, ...], *args: Any, **options: Any) -> dict[int, Any] | None:
        """The gradients of those arguments that are wanted, if there are several, by one loop over many numbers; None
        where there is no such loop."""
        if wanted not in self._in_one_loop:
            rules = [rule for rule, asked in zip(self.vjps, wanted, strict=True) if asked]
            self._in_one_loop[wanted] = in_one_loop(rules) if len(rules) > 1 else None
        compute = self._in_one_loop[wanted]
        found = compute(*args, **options) if compute else NotImplemented
        places = [i for i, asked in enumerate(wanted) if asked]
        return None if found is NotImplemented else dict(zip(places, found, strict=True))

    def read_by_rules(self, tracked: list[bool]) -> list[bool]:
        """Which arguments the rules read when these are tracked (a constant is kept even if none does)."""
        return [level == ARRAY for level in self.plan(tuple(tracked))[1]]


class _AnyNumber:
    """In the place of a named tuple, for an operation whose number of outputs depends on its options."""

    _fields, _make = range(sys.maxsize), tuple

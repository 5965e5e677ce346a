"""Optimizer: what all update rules share, so that a rule is its formula and nothing else."""

import functools
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, NoReturn

import numpy as np

from autograd import Tensor, enable_grad, increment_version, no_grad, watching
from autograd.errors import close_to, explain_constructor, is_of, shown
from autograd.hooks import RemovableHandle
from autograd.runtime import settings, tracing
from optim import flat_buffers

Params = Iterable[Tensor] | Iterable[tuple[str, Tensor]] | Iterable[dict[str, Any]]
Group = dict[str, Any]

_NOT_NEGATIVE = ("lr", "eps", "weight_decay", "momentum", "alpha", "lambd", "lr_decay", "momentum_decay",
                 "initial_accumulator_value")
_ONLY_IN_PYTORCH = ("foreach", "capturable", "differentiable", "fused")
_KEPT_BY_OTHERS = ("params", "param_names", "name", "initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum",
                   "swa_lr", *_ONLY_IN_PYTORCH)


def _calls_hooks(step: Callable) -> Callable:
    """`step`, with the hooks before and after; inside another step() (`super().step()`) they are not called again."""
    @functools.wraps(step)
    def wrapper(self: "Optimizer", *args: Any, **kwargs: Any) -> Any:
        if type(self).step is not wrapper:
            return step(self, *args, **kwargs)
        for hook in list(self._hooks["step_pre"]):
            changed = hook(self, args, kwargs)
            if changed is not None:
                args, kwargs = changed
        settings.make()
        run = functools.partial(step, self)
        result = watching.told("step", self, run, args, kwargs) if watching.of_steps else run(*args, **kwargs)
        self._stepped = True
        for hook in list(self._hooks["step_post"]):
            hook(self, args, kwargs)
        return result
    return wrapper


class Optimizer:
    """Parameters in groups, what is remembered about each, and one update of them all: the base of every rule.

    A rule says which arrays it keeps for a parameter (`buffers`), which numbers (`numbers`), and its `formula`. For
    example gradient descent with momentum, complete but for its defaults:

        class Momentum(Optimizer):
            def __init__(self, params, lr=0.01, momentum=0.9, weight_decay=0.0, maximize=False):
                super().__init__(params, locals())

            def buffers(self, group):
                return ["velocity"]

            def formula(self, p, g, v, *, lr, momentum):
                v *= momentum
                v -= lr * g
                p += v

    The formula writes to `p` and its buffers in place (`v *= …`, `v[...] = …`). It is not called with the arrays
    themselves but with symbols that note what is computed (see `autograd.runtime.tracing`): arithmetic and NumPy's
    ufuncs work, branching on values or sums over elements don't. A rule that needs those sets `elementwise = False`,
    and is called with the arrays of one parameter at a time.

    The base takes care of `maximize` and `weight_decay`: coupled (`g + λp` enters the formula, as the gradient of
    λ/2·‖p‖² would) or decoupled (`p *= 1 - lr·λ` before it: `decoupled_weight_decay` of the group, or `decoupled` of
    the rule). A formula that takes `weight_decay` as an argument does it by itself.

    Args:
        params: Tensors; or (name, Tensor) pairs, as `model.named_parameters()` gives; or dictionaries, one per group,
            with "params" and the options in which the group differs from the defaults.
        defaults: the options and their default values; `locals()` of the constructor will do.

    Attributes:
        param_groups: a dictionary a group: its options, and "params", the list of its Tensors. Options may be changed
            between steps.
        state: for each parameter, what is remembered about it.

    Raises:
        ValueError: no parameters, a parameter twice, an option unknown or out of its range.
        TypeError: a Tensor where a list of them belongs, something that is no Tensor.
    """

    elementwise = True
    """Whether every element is updated by itself, so that the formula may be run block by block."""
    decoupled = False
    """Whether weight decay is decoupled where the group has no option to say so."""
    numbers: ClassVar[dict[str, Any]] = {"step": 0}
    """What is remembered about a parameter besides arrays, and its first value. The formula returns what changes
    (`return {"eta": …}`); `step` counts by itself, and is 1 in the first update."""

    _options_of_formula: tuple[str, ...]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if is_of(cls, __name__):
            explain_constructor(cls)
        if "step" in vars(cls):
            cls.step = _calls_hooks(cls.step)
        cls._options_of_formula = tuple(name for name, p in inspect.signature(cls.formula).parameters.items()
                                        if p.kind is p.KEYWORD_ONLY)

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        self.defaults = {name: value for name, value in defaults.items() if name not in ("self", "params", "__class__")}
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[Group] = []
        if isinstance(params, Tensor):
            raise TypeError("a list of parameters belongs in the place of this one Tensor; write "
                            f"{type(self).__name__}([p], ...)")
        if not isinstance(params, Iterable):
            raise TypeError(f"a list of parameters belongs in the place of this {type(params).__name__}; write "
                            f"{type(self).__name__}(model.parameters(), ...)")
        groups = [{"params": params}] if isinstance(params, (set, frozenset)) else list(params)
        if not groups:
            raise ValueError("the parameter list is empty: model.parameters() gives none (are the layers in a list? "
                             "then write nn.ModuleList([...])), or it is an iterator that was used up before")
        given: list[Any] = groups if isinstance(groups[0], dict) else [{"params": groups}]
        for group in given:
            self.add_param_group(group)

    @functools.cached_property
    def _hooks(self) -> defaultdict[str, list[Callable]]:
        """Kind -> functions. An optimizer around another one may leave out the constructor: so it is made here."""
        return defaultdict(list)

    @functools.cached_property
    def _joined(self) -> dict[int, tuple]:
        return {}

    _stepped = False

    # What a rule says

    def buffers(self, group: Group) -> list[str]:
        """The names of the arrays that the rule keeps for each parameter of this group; they start as zeros."""
        return []

    def formula(self, p: Any, g: Any, *buffers: Any, **numbers: Any) -> dict[str, Any] | None:
        """Update the parameter `p`, whose gradient is `g`, and the buffers, in place.

        Its keyword-only arguments are given by name: options of the group, entries of `numbers`, `step`, and `first`
        (whether the buffers are new).
        """
        raise NotImplementedError(f"{type(self).__name__} defines neither `formula` nor its own `step`")

    def new_buffer(self, name: str, p: np.ndarray) -> np.ndarray | None:
        """A buffer as it starts: zeros of the parameter's shape.

        A rule that is not elementwise may choose others, or None if it keeps no such buffer for this parameter.
        """
        return np.zeros_like(p)

    def check(self, group: Group) -> None:
        """Refuse options out of their range.

        Raises:
            ValueError: with the option and its value.
        """
        for name in _NOT_NEGATIVE:
            value = group.get(name)
            if isinstance(value, str):
                self._refuse(name, value, "must be a number, not text; leave out the quotation marks")
            if value is not None and not isinstance(value, tuple) and not value >= 0:
                self._refuse(name, value, "must be 0 or more" + (
                    "; to climb instead of descending write maximize=True" if name == "lr" else ""))
        for beta in group.get("betas", ()):
            if not 0 <= beta < 1:
                self._refuse("betas", group["betas"], "must each be in [0, 1): 0 forgets at once, 1 would never learn")
        if group.get("differentiable"):
            self._refuse("differentiable", True, "is not supported: updates are in place; write the update with Tensor "
                         "operations to differentiate through it")

    def _refuse(self, name: str, value: Any, reason: str) -> NoReturn:
        raise ValueError(f"{name} is {value!r}, but {reason}")

    # Groups

    def add_param_group(self, param_group: Group) -> None:
        """Optimize more parameters, with options of their own where `param_group` has them.

        >>> optimizer.add_param_group({"params": nn.Linear(2, 10).parameters(), "lr": 1e-2})

        Raises:
            ValueError, TypeError: as for the constructor.
        """
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError('a parameter group is a dictionary with an entry "params", such as {"params": [w, b], '
                            f'"lr": 0.1}}, not {shown(param_group)}')
        params = param_group["params"]
        if isinstance(params, (set, frozenset)):
            raise TypeError("parameters were given as a set, whose order changes from run to run, so that saved state "
                            "would go to the wrong parameters; give a list")
        params = [params] if isinstance(params, Tensor) else list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        if names and len(names) != len(params):
            raise ValueError(f"of {len(params)} parameters only {len(names)} have names; give (name, parameter) pairs "
                             "for all of them or for none")
        group = {**self.defaults, **param_group, "params": [p[1] for p in params] if names else params}
        if names:
            group["param_names"] = names
        self._check_params(group["params"])
        if is_of(type(self).step, __name__):  # what options mean to a step of the user's is its own business
            for name in param_group:
                if name not in self.defaults and name not in _KEPT_BY_OTHERS:
                    raise ValueError(f"there is no option {name!r}{close_to(name, self.defaults, 0.3) or '.'} The "
                                     f"options are {', '.join(self.defaults)}")
            for name, value in group.items():
                if isinstance(value, (Tensor, np.generic)):
                    group[name] = value.item()
            self.check(group)
        self.param_groups.append(group)

    def _check_params(self, params: list[Tensor]) -> None:
        seen = {id(p): f"group {i}" for i, group in enumerate(self.param_groups) for p in group["params"]}
        for i, p in enumerate(params):
            if not isinstance(p, Tensor):
                raise TypeError(f"parameters are Tensors, but parameter {i} is of type {type(p).__name__}: {shown(p)}")
            if p.node is not None:
                raise ValueError(f"parameter {i} (shape {p.shape}) is the result of `{p.node.name}`, and updating a "
                                 "result has no effect on what it was computed from; optimize the leaf, or a copy: "
                                 "t.detach().requires_grad_()")
            if p.dtype.kind != "f":
                raise ValueError(f"parameter {i} (shape {p.shape}) is {p.dtype}, which has no gradient; make it "
                                 "floating: t.float()")
            if id(p) in seen:
                raise ValueError(f"parameter {i} (shape {p.shape}) is given twice, first in {seen[id(p)]}: it would be "
                                 "updated twice a step; list every parameter once")
            seen[id(p)] = f"the same list, as parameter {i}"

    # The update

    @_calls_hooks
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; those whose `.grad` is None stay as they are.

        Args:
            closure: computes the loss and its gradients once more, and returns the loss (most rules need none).

        Returns:
            The closure's loss.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            self._update(group)
        return loss

    def _update(self, group: Group) -> None:
        """One update of a group: parameters with the same numbers (as a rule: all) are updated together."""
        names = self.buffers(group)
        together: defaultdict[tuple, list[tuple]] = defaultdict(list)
        changed = []
        for p, start, joined in self._places(group, names):
            if p.grad is None:
                continue
            array, gradient, state = p.array, p.grad.array, self.state[p]
            if gradient.shape != array.shape or gradient.dtype is not array.dtype:
                gradient = self._fitting(gradient, array)
            if not state:
                state.update(self.numbers)
            first = False
            for name in names:
                buffer = state.get(name)
                if buffer is None or (joined and buffer.array.base is not joined[name]):
                    placed = self._placed(name, buffer, p, start, joined)
                    if placed is not None:
                        first = first or buffer is None
                        state[name] = placed
            numbers = tuple([state.get(name, value) for name, value in self.numbers.items()])
            together[(id(joined), first, numbers)].append((state, (start, (array, gradient)), joined))
            changed.append(p)
        for (_, first, numbers), entries in together.items():
            self._apply(group, names, entries, {"first": first, **dict(zip(self.numbers, numbers, strict=True))})
        increment_version(changed)

    def _apply(self, group: Group, names: list[str], entries: list[tuple], numbers: dict[str, Any]) -> None:
        """The formula on parameters with the same numbers."""
        if "step" in numbers:
            numbers["step"] += 1
        rule = self._rule(group, numbers)
        if self.elementwise:
            recording, returned = tracing.record(rule, 2 + len(names))
            flat_buffers.run(recording, [piece for _, piece, _ in entries], list(entries[0][2].values()))
        else:
            for state, (_, arrays), _ in entries:
                returned = rule(*arrays, *[state[name].array if name in state else None for name in names])
        remembered = {name: numbers[name] for name in self.numbers} | (returned or {})
        for state, _, _ in entries:
            state.update(remembered)

    def _places(self, group: Group, names: list[str]) -> Iterable[tuple[Tensor, int, dict[str, np.ndarray]]]:
        """For each parameter where it starts in the joined buffers of its dtype, and those buffers by name.

        A group's buffers of one kind lie in one long array, so that small parameters can be updated as one large one.
        """
        params = group["params"]
        for p in params:
            if not isinstance(p.array, np.ndarray):  # a computed number, which has no memory to write to
                p.array = np.array(p.array)
        layout = [names, list(map(id, params)), [(p.array.size, p.array.dtype) for p in params]]
        known = self._joined.get(id(group))
        if known is None or known[0] != layout:
            totals: defaultdict[np.dtype, int] = defaultdict(int)
            starts = []
            for p in params:
                starts.append(totals[p.array.dtype])
                totals[p.array.dtype] += p.array.size
            joined = {dtype: {name: np.zeros(total, dtype) for name in names} if self.elementwise else {}
                      for dtype, total in totals.items()}
            known = self._joined[id(group)] = layout, [(p, start, joined[p.array.dtype])
                                                       for p, start in zip(params, starts, strict=True)]
        return known[1]

    def _placed(self, name: str, buffer: Tensor | None, p: Tensor, start: int,
                joined: dict[str, np.ndarray]) -> Tensor | None:
        """A new buffer, or one that came from elsewhere (a saved state, a copy), at its place in the joined ones."""
        if buffer is None:
            new = self.new_buffer(name, p.array)
            if new is None:
                return None
            buffer = Tensor(new)
        if not joined:
            return buffer
        if buffer.shape != p.shape:
            raise ValueError(f"{name!r} of a parameter has shape {buffer.shape}, but the parameter {p.shape}; if it "
                             "was replaced, forget what belonged to the old one: optimizer.state.pop(p)")
        place = joined[name][start:start + p.array.size].reshape(p.shape)
        place[...] = buffer.array
        return Tensor(place)

    def _rule(self, group: Group, numbers: dict[str, Any]) -> Callable:
        """The formula with its options, and what every rule does before it."""
        given = {**group, **numbers}
        options = {name: given[name].item() if isinstance(given[name], (np.generic, Tensor)) else given[name]
                   for name in self._options_of_formula}
        decay = 0 if "weight_decay" in self._options_of_formula else group.get("weight_decay", 0)
        decoupled = group.get("decoupled_weight_decay", self.decoupled)

        def rule(p: Any, g: Any, *buffers: Any) -> Any:
            if group.get("maximize"):
                g = -g
            if decay and decoupled:
                p *= 1 - group["lr"] * decay
            elif decay:
                g = g + decay * p
            return self.formula(p, g, *buffers, **options)
        return rule

    @staticmethod
    def _fitting(gradient: Any, array: np.ndarray) -> np.ndarray:
        if gradient.shape != array.shape:
            raise ValueError(f"the gradient's shape {gradient.shape} is not that of its parameter, {array.shape}; it "
                             "was set by hand, or the parameter was replaced after backward()")
        return np.asarray(gradient, array.dtype)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zeros.

        With None, a parameter that the next backward pass does not reach is left alone by `step()`; with zeros, it
        goes on by its momentum and weight decay.
        """
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    with no_grad():
                        p.grad = Tensor(np.zeros_like(p.grad.array))

    # Saving

    def state_dict(self) -> dict[str, Any]:
        """What is remembered and the options, in PyTorch's form: parameters are numbered in the order of the groups.

        Arrays are shared with the optimizer, not copied.
        """
        for hook in list(self._hooks["state_dict_pre"]):
            hook(self)
        params = [p for group in self.param_groups for p in group["params"]]
        index = {id(p): i for i, p in enumerate(params)}
        saved: dict[str, Any] = {
            "state": {index[id(p)]: {name: _packed(value) if name in self.numbers else value
                                     for name, value in state.items()}
                      for p, state in self.state.items() if state and id(p) in index},
            "param_groups": [{**group, "params": [index[id(p)] for p in group["params"]]}
                             for group in self.param_groups]}
        for hook in list(self._hooks["state_dict_post"]):
            changed = hook(self, saved)
            saved = saved if changed is None else changed
        return saved

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict()` gave: arrays are copied, and brought to each parameter's dtype.

        PyTorch's optimizers give the same form; their tensors may be given as they are or as arrays.

        Raises:
            ValueError: the groups or shapes are not those of this optimizer.
        """
        state_dict = dict(state_dict)
        for hook in list(self._hooks["load_state_dict_pre"]):
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        saved_groups = state_dict["param_groups"]
        sizes = [len(group["params"]) for group in self.param_groups]
        saved_sizes = [len(group["params"]) for group in saved_groups]
        if sizes != saved_sizes:
            raise ValueError(f"the saved state is of {len(saved_sizes)} parameter groups of {saved_sizes} parameters, "
                             f"this {type(self).__name__} has {len(sizes)} of {sizes}; make it from the groups that "
                             "were saved, in their order")
        params = {i: p for group, saved in zip(self.param_groups, saved_groups, strict=True)
                  for i, p in zip(saved["params"], group["params"], strict=True)}
        state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        for i, saved in state_dict["state"].items():
            state[params[i]] = {name: self._unpacked(name, value, i, params[i]) for name, value in saved.items()}
        self.state = state
        for group, saved in zip(self.param_groups, saved_groups, strict=True):
            group.update({name: value for name, value in saved.items() if name != "params"})
        for hook in list(self._hooks["load_state_dict_post"]):
            hook(self)

    def _unpacked(self, name: str, value: Any, i: int, p: Tensor) -> Any:
        if name in self.numbers:
            value = float(value)
            return int(value) if name == "step" else value
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, (list, tuple)):
            return [self._unpacked(name, v, i, p) for v in value]
        array = np.asarray(value.detach() if hasattr(value, "detach") else value).astype(p.dtype)
        if self.elementwise and array.shape != p.shape and array.ndim:
            raise ValueError(f"the saved {name!r} of parameter {i} has shape {array.shape}, but the parameter's is "
                             f"{p.shape}: the parameters are others, or in another order, than when it was saved")
        return Tensor(array)

    # Hooks

    def register_step_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before every step; it may return changed `(args, kwargs)`."""
        return RemovableHandle(self._hooks["step_pre"], hook)

    def register_step_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after every step."""
        return RemovableHandle(self._hooks["step_post"], hook)

    def register_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(optimizer)` before `state_dict()`."""
        return RemovableHandle(self._hooks["state_dict_pre"], hook)

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` after `state_dict()`; what it returns replaces the dictionary."""
        return RemovableHandle(self._hooks["state_dict_post"], hook)

    def register_load_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` before `load_state_dict()`; what it returns replaces the dictionary."""
        return RemovableHandle(self._hooks["load_state_dict_pre"], hook)

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(optimizer)` after `load_state_dict()`."""
        return RemovableHandle(self._hooks["load_state_dict_post"], hook)

    def __getstate__(self) -> dict[str, Any]:  # hooks and joined buffers stay behind, as in PyTorch
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name in ("_hooks", "_joined", "_stepped"):
            self.__dict__.pop(name, None)
        self.__dict__.update(state)

    def __repr__(self) -> str:
        groups = [f"Parameter Group {i}\n" + "".join(f"    {name}: {group[name]}\n" for name in sorted(group)
                                                   if name != "params") for i, group in enumerate(self.param_groups)]
        return f"{type(self).__name__} (\n" + "\n".join(groups) + ")"


def _packed(value: Any) -> Any:
    """A number as a Tensor without axes, as PyTorch has it; float64, so that nothing is lost."""
    return Tensor(np.array(float(value)))

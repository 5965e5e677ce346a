"""What is wrong with a net, read in one recorded graph: what, where it is born, and what follows from it.

The rules, in the order in which they are asked; the first that finds something is the one that is born somewhere:

1. **Not finite.** NaN or infinity is born where the arguments are still finite (going back: where the gradient that
   arrives still is). An infinity that was written down, as in the mask of an attention, is none until it makes a NaN or
   reaches an output. A product that is 0 although no factor is has lost its number earlier: underflow.
2. **Symmetric.** All units of a layer have equal weights and get equal gradients, so they will stay equal.
3. **Exploding.** The gradient at a layer is more than 1,000 times that at the last layer that depends on it. Gradients
   are compared by their Euclidean norms, at what a layer (whatever reads a parameter) puts out. So neither the size of
   the loss nor that of the weights matters, and a converged net, whose gradients are all tiny, is healthy.
4. **Dead or saturated.** Nine tenths of the units of a hidden layer are 0 for every sample; nine tenths of its tanh or
   sigmoid are at their ends, or of its softmax all on one element. A gate, which multiplies something else, may be.
5. **Zero.** A parameter's gradient is exactly zero, and the operation that lets nothing through isn't a factor which is
   still zero and is about to be learned.
6. **Vanishing.** The gradient at a layer, and at every layer before it, is less than 1/10,000 of that at the last
   layer that depends on it. A parameter that is used at many times vanishes only if it does at all of them. (So a
   gradient that is the rounding of an exact zero, as that of a bias before a batch norm, is no alarm.)
7. **No gradient.** A parameter that no output depends on, unless it is an expert that was not chosen.
8. **Frozen.** A weight that gets no gradient among layers of its kind that do, behind something that is trained. What
   is frozen before all training layers, or with most of the net, is so on purpose.
9. **Wrong sign.** Every term of the output falls when a loss rises.
10. **Every pair.** A loss is the mean over (n, 1) less a constant of shape (n,): of each prediction less each target.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from autograd import Graph, Node, Tensor
from viz import names as naming
from viz import notation, text
from viz.health import Summary, summarize
from viz.reading import arguments, is_constant
from viz.scopes import is_pick

EXPLODING, VANISHING = 1e3, 1e-4
"""Norm of the gradient at a layer, relative to that at the last layer behind it."""
MOSTLY = 0.9
"""Fraction of dead or saturated units that is worth a mark."""
LEAST_HALF = 2.0 ** -21
"""From here downward float16 has less than three digits, in binary."""
ENOUGH = 8
"""Units of which a fraction says something."""


@dataclass
class Finding:
    """Something wrong at one place.

    Attributes:
        text: what, in a line.
        born: it begins here; no two findings of a diagnosis do.
        follows: it is a consequence of what was born elsewhere.
    """

    text: str
    born: bool = False
    follows: bool = False

    def __str__(self) -> str:
        return self.line()

    def line(self, where: str = "") -> str:
        """As a box says it, that of a closed module with the place in it."""
        if self.born:
            return f"born here{', in ' * bool(where)}{where}: {self.text}"
        return f"{self.text}{' in ' * bool(where)}{where}"


@dataclass
class Unreached:
    """A module, or a parameter alone, that no output depends on."""

    path: str
    kind: str
    count: int
    finding: Finding


@dataclass
class Diagnosis:
    """All that was found.

    Attributes:
        findings: id of an origin -> what is wrong with it.
        unreached: modules and parameters that are not in the graph.
    """

    findings: dict[int, Finding] = field(default_factory=dict)
    unreached: list[Unreached] = field(default_factory=list)

    def worst(self, origins: Iterable[Any]) -> tuple[Any, Finding] | None:
        """What weighs most among origins and what is unreached: what is born there, then what follows from nothing."""
        found = [(origin, origin.finding if isinstance(origin, Unreached) else self.findings[id(origin)])
                 for origin in origins if isinstance(origin, Unreached) or id(origin) in self.findings]
        return min(found, key=lambda pair: (not pair[1].born, pair[1].follows), default=None)


def diagnose(graph: Graph, modules: Mapping[str, Any] | None = None,
             summary: Callable[[Any, bool], Summary] | None = None) -> Diagnosis:
    """Ask every rule of this file.

    Args:
        graph: after `forward()` and `backward()`.
        modules: prefix -> module whose parameters are drawn. Without any, all leaves are parameters.
        summary: of the value of an origin, or of its gradient, if it is known already.

    >>> x = Tensor([1.0, 0.0], requires_grad=True)
    >>> graph = Graph(x.log().sum())
    >>> with np.errstate(all="ignore"):
    ...     _ = graph.forward(), graph.backward()
    >>> print(*diagnose(graph).findings.values(), sep=" / ")
    born here: 1 of 2 infinite: ln 0.00 = -∞ / infinite / gradient: 1 of 2 infinite
    """
    return _Doctor(graph, dict(modules or {}), summary or partial(_summary, graph)).diagnosis


class _Doctor:
    """One graph under examination."""

    def __init__(self, graph: Graph, modules: dict[str, Any], summary: Callable[[Any, bool], Summary]) -> None:
        self.graph, self.diagnosis, self.summary = graph, Diagnosis(), summary
        self.given = parameters = dict(naming.parameters(modules))
        self.kinds = {path: type(module).__name__ for path, module in naming.inner(modules) if _can_be_called(module)}
        trained = {id(p) for p in parameters.values() if p.requires_grad}
        self.parameters = [leaf for leaf in graph.leaves if not parameters or id(leaf) in trained]
        self.consumers: dict[int, list[Node]] = {}
        for node in graph.nodes:
            for origin in _origins(node):
                self.consumers.setdefault(id(origin), []).append(node)
        self.size = {id(vertex): _norm(g) if isinstance(g, dict) else summary(vertex, True).rms * math.sqrt(np.size(g))
                     for vertex, g in graph.gradients.items()}
        self._layers()
        with np.errstate(all="ignore"):
            rules = (self._symmetric, self._exploding, self._flat, self._zero, self._vanishing, self._no_gradient,
                     self._frozen, self._wrong_sign, self._every_pair)
            for rule in (self._no_gradient,) if self._not_finite() else rules:
                rule()

    # What is where

    def _layers(self) -> None:
        """Which nodes are layers: those that read a parameter (or what was made of parameters alone)."""
        made: dict[int, tuple[Tensor, ...]] = {id(p): (p,) for p in self.parameters}
        self.layers: dict[Node, list[Tensor]] = {}
        for node in self.graph.nodes:
            origins = [o for o in _origins(node) if np.size(_array(self.graph, o)) != 1 or id(o) in made]
            own = list({id(p): p for o in origins if id(o) in made for p in made[id(o)]}.values())
            if own and all(id(o) in made for o in origins) and (self.given or len(origins) == 1):
                made[id(node)] = tuple(own)
            elif own:
                self.layers[node] = own
        self.behind: dict[int, float] = {}  # id of a vertex -> norm of the gradient at the last layer behind it
        self.hidden: set[int] = set()  # ids of what a later layer depends on
        for node in reversed(self.graph.nodes):
            beyond = max((self._seen(c) for c in self.consumers.get(id(node), ())), default=0.0)
            self.behind[id(node)] = beyond
            if any(c in self.layers or id(c) in self.hidden for c in self.consumers.get(id(node), ())):
                self.hidden.add(id(node))

    def _seen(self, node: Node) -> float:
        """The norm at the last layer, seen from before a node."""
        return self.behind.get(id(node), 0.0) or (self.size.get(id(node), 0.0) if node in self.layers else 0.0)

    def _after(self, birth: Any) -> set[int]:
        """The ids of all that depends on something."""
        found = {id(birth)}
        for node in self.graph.nodes:
            if any(id(o) in found for o in _origins(node)):
                found.add(id(node))
        return found

    def _before(self, birth: Any) -> set[int]:
        """The ids of all that something depends on."""
        found = {id(birth)}
        for node in reversed(self.graph.nodes):
            if id(node) in found:
                found.update(map(id, _origins(node)))
        return found

    def _report(self, found: list[tuple[Any, str]], infects: bool = False) -> None:
        """Findings of one rule, in the order of cause and effect: the first is born, unless something else was.

        Args:
            found: origins, and what is wrong with them.
            infects: all others follow from the first; otherwise those that it leads to or comes from.
        """
        if not found:
            return
        known = self.diagnosis.findings
        if not any(finding.born for finding in known.values()):
            self.birth = found[0][0]
            after = self._after(self.birth)
            self.caused = after | self._before(self.birth) | {
                id(o) for node in self.graph.nodes if id(node) in after for o in _origins(node)}
            known[id(self.birth)] = Finding(found[0][1], born=True)
        for origin, what in found:
            known.setdefault(id(origin), Finding(what, follows=infects or id(origin) in self.caused))

    # The rules

    def _not_finite(self) -> bool:
        found = self._bad_values()
        lost = next((node for node in self.graph.nodes if _underflows(node, self.graph)), None)
        if lost is not None and (not found or id(found[0][0]) in self._after(lost)):
            found.insert(0, (lost, f"underflow: {_smallest(lost, self.graph)} makes 0 in {lost.dtype}"))
        self._report(found + self._bad_gradients(), infects=True)
        return len(self.diagnosis.findings) > (lost is not None)

    def _bad_values(self) -> list[tuple[Any, str]]:
        """Where values are NaN or infinite, oldest first, without what was written down."""
        found: list[tuple[Any, str]] = []
        bad: set[int] = set()
        written: list[Any] = []
        for node in self.graph.nodes:
            infinite = [o for o in _origins(node) if not self._is_finite(o)]
            for origin in infinite:
                if not isinstance(origin, Node) and id(origin) not in bad:
                    if np.isnan(_array(self.graph, origin)).any():
                        bad.add(id(origin))
                        found.append((origin, _count(_array(self.graph, origin))))
                    else:
                        written.append(origin)
            if self._is_finite(node):
                continue
            value = self.graph.values[node]
            caused = any(id(o) in bad for o in infinite)
            nan = any(np.isnan(part).any() for part in _parts(value) if part.dtype.kind == "f")
            if caused or nan or not (infinite or _writes_infinity(node)):
                bad.add(id(node))
                found.append((node, _count(value) if caused else _first_bad(node, value, self.graph)))
        if not found and written and not all(self._is_finite(o.node or o) for o in self.graph.outputs):
            after = self._after(written[0])
            found = [(o, _count(_value(self.graph, o))) for o in [written[0], *self.graph.nodes]
                     if id(o) in after and not self._is_finite(o)]
        return found

    def _is_finite(self, origin: Any) -> bool:
        value = _value(self.graph, origin)
        return all(map(_finite, _parts(value))) if isinstance(value, tuple) else not self.summary(origin, False).alarm

    def _bad_gradients(self) -> list[tuple[Any, str]]:
        """Where gradients become NaN or infinite, youngest first, and then where they are."""
        gradients = self.graph.gradients
        bad = {id(vertex) for vertex, g in gradients.items() if (
            not all(map(_finite, _parts(g))) if isinstance(g, dict) else self.summary(vertex, True).alarm)}
        if not bad:
            return []
        made: list[tuple[Any, str]] = []
        vertices: list[Node | Tensor] = [*reversed(self.graph.nodes), *self.graph.leaves]
        for vertex in vertices:
            if isinstance(vertex, Node) and id(vertex) not in bad and vertex in gradients:
                sent = [part for i, _ in arguments(vertex)
                        for part in _parts(self.graph.contributions.get((vertex, i), 0.0)) if not _finite(part)]
                if sent:
                    made.append((vertex, f"its derivative makes the gradient {_count(sent[0])}"))
            elif id(vertex) in bad and not any(id(c) in bad or any(c is node for node, _ in made)
                                               for c in self.consumers.get(id(vertex), ())):
                made.append((vertex, f"gradients add up to {_count(gradients[vertex])}"))
        return made + [(vertex, f"gradient: {_count(g)}") for vertex, g in gradients.items() if id(vertex) in bad]

    def _symmetric(self) -> None:
        found = []
        for node, parameters in self.layers.items():
            for p in parameters:
                w, g = np.asarray(p.array), self.graph.gradients.get(p)
                if g is None or w.ndim < 2 or w.shape[0] < 2 or w.shape[1] < 1 or node.operation.view:
                    continue
                for axis in (0, -1) if node.name == "matmul" else (0,):
                    units, slopes = np.moveaxis(w, axis, 0), np.moveaxis(np.asarray(g), axis, 0)
                    if len(units) > 1 and not (units != units[:1]).any() and w.size and np.allclose(
                            slopes, slopes[:1], rtol=1e-3, atol=1e-5 * float(np.abs(slopes).max(initial=0))) and (
                            id(node) in self.hidden):
                        found.append((p, f"all {len(units)} units are equal and get equal gradients"))
                        break
        self._report(list({id(p): (p, what) for p, what in found}.values()))

    def _exploding(self) -> None:
        found = []
        for node in reversed(self.layers):
            here, last = self.size.get(id(node), 0.0), self.behind[id(node)]
            inside = self._growth_inside(node)
            if last and here > EXPLODING * last:
                found.append((node, f"gradient explodes: {_times(here / last)} that at the last layer"))
            elif inside > EXPLODING:
                found.append((node, f"gradient explodes inside, {_times(inside)}"))
        self._report([*found, *((p, what) for node, what in found for p in self.layers[node])])

    def _growth_inside(self, node: Node) -> float:
        """By how much an operation over time multiplies the gradient, at least, on the way to its weights."""
        if node.operation.composition is None or node.shape is not None or not self.size.get(id(node)):
            return 0.0
        largest = max((_norm(_array(self.graph, o)) for o in _origins(node)), default=0.0)
        sent = max((_norm(self.graph.contributions.get((node, i))) for i, _ in arguments(node)), default=0.0)
        return sent / (self.size[id(node)] * max(largest, 1.0))

    def _flat(self) -> None:
        found = []
        for node in self.graph.nodes:
            value, flat = np.asarray(self.graph.values[node]) if node.shape else np.zeros(0), notation.of(node).flat
            if id(node) not in self.hidden or value.size < ENOUGH or self._is_gate(node):
                continue
            if node.name == "softmax":
                what, there = "of the rows are saturated: all on one element", (
                    value.max(axis=node.options["dim"]) >= 1 - np.finfo(value.dtype).eps)
            elif flat is None:
                continue
            elif flat[0] == "zero":
                axis, there = self._unit_axis(node), flat[1](value)
                what, there = "of the units are dead: 0 for every sample", there.all(
                    axis=tuple(k for k in range(there.ndim) if k != axis))
            else:
                what, there = flat[0], flat[1](value)
            fraction = float(there.mean())
            if there.size >= ENOUGH and fraction >= MOSTLY:
                found.append((node, f"{fraction:.0%} {what}"))
        self._report(found)

    def _is_gate(self, node: Node) -> bool:
        """Whether a value, or one minus it, is used as a factor of something else only."""
        readers = self.consumers.get(id(node), [])
        return bool(readers) and all(
            all(isinstance(o, Node) and np.size(self.graph.values[o]) > 1 for o in _origins(c)) if c.name == "mul" else
            (c.operation.view or c.name in ("add", "sub", "neg")) and self._is_gate(c) and
            sum(isinstance(o, Node) for o in _origins(c)) == 1 for c in readers)

    def _unit_axis(self, node: Node) -> int:
        """Which axis counts the units: the second of what came from a convolution, the last otherwise."""
        dimensions, before = len(node.shape or ()), node
        while isinstance(before, Node):
            if before in self.layers and dimensions > 2 and any(p.array.ndim > 2 for p in self.layers[before]):
                return 1
            before = next((o for o in _origins(before) if isinstance(o, Node)), None)
        return dimensions - 1

    def _zero(self) -> None:
        if all(not np.any(self.graph.values[o.node or o]) for o in self.graph.outputs):
            return  # nothing is left to learn
        dead = [p for p in self.parameters if p in self.graph.gradients and self.size[id(p)] == 0 and p.array.size]
        dead = [p for p in dead if not self._is_unchosen(p)]
        blocks: dict[Node, str] = {}
        reported = []
        for p in dead:
            frontier: list[Node | Tensor] = [p]
            seen, causes, heals = {id(p)}, [], False
            for vertex in frontier:
                for node in self.consumers.get(id(vertex), ()):
                    if self.size.get(id(node), 0.0) == 0:
                        if id(node) not in seen:
                            seen.add(id(node))
                            frontier.append(node)
                        continue
                    cause = self._block(node, vertex)
                    heals |= not cause
                    causes += [(node, cause)] * bool(cause)
            if causes and not heals:
                blocks.update(causes)
                reported.append(p)
        order = sorted(blocks.items(), key=lambda pair: -pair[0].birth)
        self._report([*order, *((p, "gradient is zero") for p in reported)])

    def _block(self, node: Node, vertex: Any) -> str:
        """Why a node sends nothing to one of its arguments; empty if there is nothing wrong with that."""
        if 0 in np.shape(_array(self.graph, vertex)) or (node.shape and 0 in node.shape):
            return ""
        for i, origin in arguments(node):
            sent = self.graph.contributions.get((node, i))
            if origin is vertex and _norm(sent):
                return ""  # several uses cancel each other
            if origin is not vertex and sent is not None and _norm(sent) and not np.any(_array(self.graph, origin)):
                return ""  # a factor that is still zero, and learned
        flat, value = notation.of(node).flat, self.graph.values[node]
        if flat is not None and flat[1](np.asarray(value)).all():
            return f"100% {flat[0]}: no gradient gets through" * (np.size(value) >= ENOUGH)
        if node.shape is not None and _norm(_pulled(self.graph, node, vertex, 2.0 ** 20)):
            return f"underflow: the gradient is too small for {node.dtype}"
        return "no gradient gets through: its derivative is 0 here"

    def _vanishing(self) -> None:
        before: dict[int, float] = {}
        kept: dict[int, bool] = {}
        found = []
        for node in self.graph.nodes:
            here = self.size.get(id(node), 0.0) if node in self.layers else 0.0
            before[id(node)] = max([here, *(before.get(id(o), 0.0) for o in _origins(node))])
            for p in self.layers.get(node, ()):
                kept[id(p)] = kept.get(id(p), False) or before[id(node)] >= VANISHING * self.behind[id(node)]
        for node in reversed(self.layers):
            lost = [p for p in self.layers[node] if not kept[id(p)]]
            if lost and before[id(node)]:
                share = text.number(before[id(node)] / self.behind[id(node)])
                what = f"gradient vanishes: {share} of that at the last layer"
                found += [(node, what), *((p, what) for p in lost)]
        self._report(found)
        if not found:
            small = [p for p in self.parameters if p.dtype == np.float16 and 0 < np.abs(
                self.graph.gradients.get(p, np.zeros(1))).max(initial=0) < LEAST_HALF]
            self._report([(p, f"underflow: float16 has no digits for gradients below {LEAST_HALF:.1g}") for p in small])

    def _no_gradient(self) -> None:
        reached = {id(leaf) for leaf in self.graph.leaves if leaf in self.graph.gradients}
        missing = {path: p for path, p in self.given.items() if p.requires_grad and id(p) not in reached}
        alive = [path for path, p in self.given.items() if id(p) in reached]
        modules: dict[str, list[str]] = {}
        for path in missing:
            owner = path.rpartition(".")[0]
            whole = path
            while owner and not any(other.startswith(owner + ".") for other in alive):
                whole, owner = owner, owner.rpartition(".")[0]
            modules.setdefault(whole, []).append(path)
        for whole, paths in modules.items():
            if self._is_separate(whole) or self._is_unchosen_module(whole):
                continue
            count = sum(missing[path].array.size for path in paths)
            known = self.diagnosis.findings
            born = not (any(f.born for f in known.values()) or any(u.finding.born for u in self.diagnosis.unreached))
            self.diagnosis.unreached.append(Unreached(whole, self.kinds.get(whole, ""), count, Finding(
                "gets no gradient: unused or detached", born=born)))

    def _is_separate(self, path: str) -> bool:
        """Whether a module is one of several in a holder that is never called, as the two nets of a GAN may be."""
        return "." not in path and "" not in self.kinds

    def _is_unchosen_module(self, path: str) -> bool:
        """Whether a module is one of a list whose others are used side by side, for what was picked out for each."""
        holder, _, last = path.rpartition(".")
        if not last.isdigit() or holder in self.kinds:
            return False
        peers = self._peers(holder, path)
        return bool(peers) and self._side_by_side(peers) and all(self._picks_out(nodes) for nodes in peers)

    def _is_unchosen(self, p: Tensor) -> bool:
        """Whether a parameter belongs to one of a list of modules of which others, used side by side, get gradients."""
        path = next((path for path, other in self.given.items() if other is p), "")
        parts = path.split(".")
        for k, part in enumerate(parts[:-1]):
            if part.isdigit() and ".".join(parts[:k]) not in self.kinds:
                peers = self._peers(".".join(parts[:k]), ".".join(parts[:k + 1]))
                if peers and self._side_by_side(peers):
                    return True
        return False

    def _peers(self, holder: str, path: str) -> list[list[Node]]:
        """The layers of each other module in a list whose parameters get gradients."""
        peers: dict[str, list[Node]] = {}
        of = {id(p): path for path, p in self.given.items()}
        for node, parameters in self.layers.items():
            for p in parameters:
                rest = of.get(id(p), "").removeprefix(holder + "." if holder else "").split(".")
                mine = ".".join([*([holder] if holder else []), rest[0]])
                if rest[0].isdigit() and mine != path and self.kinds.get(mine) == self.kinds.get(path) and of.get(
                        id(p), "").startswith(mine + ".") and self.size.get(id(p)):
                    peers.setdefault(mine, []).append(node)
        return list(peers.values())

    def _side_by_side(self, peers: list[list[Node]]) -> bool:
        """Whether none of several modules depends on another."""
        for i, mine in enumerate(peers):
            after = self._after(mine[0])
            if any(id(node) in after for k, others in enumerate(peers) if k != i for node in others):
                return False
        return True

    def _picks_out(self, nodes: list[Node]) -> bool:
        """Whether what a module reads was picked by indices."""
        def data(node: Node) -> Any:
            return next((o for o in _origins(node) if not any(o is p for p in self.parameters)), None)
        source = data(nodes[0])
        return is_constant(source) or (isinstance(source, Node) and any(
            np.ndim(part) for option in source.options.values() for part in (
                option if isinstance(option, tuple) else (option,)) if isinstance(part, (np.ndarray, Tensor))))

    def _frozen(self) -> None:
        frozen = {id(p.array): (path, p) for path, p in self.given.items() if not p.requires_grad and p.array.ndim > 1}
        if not frozen:
            return
        sizes = [sum(p.array.size for p in self.given.values() if p.requires_grad is state) for state in (False, True)]
        if sizes[0] >= sizes[1]:
            return
        training = {owner for path, p in self.given.items() if p.requires_grad and (owner := path.rpartition(".")[0])}
        found, trained = [], {id(p) for p in self.parameters}
        for node in self.graph.nodes:
            if any(id(o) in trained for o in _origins(node)):
                trained.add(id(node))
            for origin in _origins(node):
                if id(origin) not in frozen or self._whole_net_frozen(frozen[id(origin)][0]):
                    continue
                owner = frozen[id(origin)][0].rpartition(".")[0]
                others = [o for o in _origins(node) if o is not origin]
                alike = any(self.kinds.get(other) == self.kinds.get(owner) for other in training - {owner})
                if alike and any(id(o) in trained for o in others):
                    found.append((origin, "frozen, though what comes before it is trained"))
                elif any(isinstance(o, Node) for o in others):
                    trained.add(id(node))
            if any(isinstance(o, Node) and id(o) in trained for o in _origins(node)):
                trained.add(id(node))
        self._report(found)

    def _whole_net_frozen(self, path: str) -> bool:
        """Whether a separate net is frozen, as the judge of what another makes."""
        if "" in self.kinds:
            return False
        first = path.partition(".")[0]
        return not any(p.requires_grad for other, p in self.given.items() if other.partition(".")[0] == first)

    def _wrong_sign(self) -> None:
        terms: list[tuple[Node, bool | None]] = []
        waiting = [o.node for o in self.graph.outputs if o.node is not None]
        seen = set()
        while waiting:
            node = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            g = np.concatenate([np.ravel(part) for part in _parts(self.graph.gradients.get(node, 0.0))])
            sign = 1 if (g >= 0).all() and g.any() else -1 if (g <= 0).all() and g.any() else 0
            parents = [o for o in _origins(node) if isinstance(o, Node)]
            if _is_loss(node):
                terms.append((node, sign < 0))
            elif node.name in ("log_softmax", "log_sigmoid", "logsigmoid"):
                terms.append((node, sign > 0))
            elif is_pick(node) or (node.name in _LINEAR and (len(parents) == 1 or node.name in ("add", "sub")) and all(
                    not isinstance(o, Tensor) for o in _origins(node))):
                waiting += parents
            else:
                terms.append((node, None))
        if terms and all(wrong for _, wrong in terms):
            self._report([(node, "wrong sign: the output falls when this loss rises" if _is_loss(node) else
                           "wrong sign: the output falls when this probability falls") for node, _ in terms])


    def _every_pair(self) -> None:
        found = []
        for node in self.graph.nodes:
            shapes = [np.shape(_array(self.graph, o)) for o in _origins(node)]
            n = max(shapes, key=len, default=())[:1]
            readers = self.consumers.get(id(node), [])
            if (node.name == "sub" and n > (1,) and sorted(shapes) == sorted([n, (*n, 1)])
                    and any(is_constant(o) and np.ndim(o) == 1 for o in _origins(node))
                    and readers and all(_is_loss(c) or c.name == "mul" for c in readers)
                    and any(after.name in ("mean", "sum") for c in readers for after in self.consumers.get(id(c), ()))):
                shown = " and ".join(map(str, shapes))
                found.append((node, f"every pair: shapes {shown} broadcast to {node.shape}, each prediction less each "
                              "target"))
        self._report(found)


_LINEAR = ("mean", "sum", "neg", "mul", "div", "add", "sub", "getitem", "gather", "reshape", "squeeze",
           "take_along_dim", "flatten", "stack", "cat", "to", "transpose")
"""What an output is made of its terms by."""


def _times(factor: float) -> str:
    return f"{factor:,.0f} times" if factor < 1e7 else f"{text.number(factor)} times"


def _can_be_called(module: Any) -> bool:
    """Whether a module says what its call does; the others only hold modules."""
    says = [vars(kind)["forward"] for kind in type(module).__mro__ if "forward" in vars(kind)]
    return len(says) > 1


def _is_loss(node: Node) -> bool:
    """Whether an operation is a loss: never negative, and better when smaller."""
    if node.name == "power_of_number":
        return float(node.options["exponent"]) % 2 == 0
    return node.name.strip("_").endswith(("loss", "cross_entropy", "bce", "bce_with_logits", "huber")) or (
        node.name in ("square", "abs", "norm"))


def _summary(graph: Graph, origin: Any, of_gradient: bool) -> Summary:
    return summarize(graph.gradients[origin] if of_gradient else _value(graph, origin))


def _origins(node: Node) -> Iterator[Any]:
    """What a node was computed from: nodes, leaves and arrays."""
    return (origin for _, origin in arguments(node) if origin is not None)


def _value(graph: Graph, origin: Any) -> Any:
    return graph.values[origin] if isinstance(origin, (Node, Tensor)) else origin


def _array(graph: Graph, origin: Any) -> np.ndarray:
    value = _value(graph, origin)
    return np.zeros(0) if isinstance(value, tuple) else np.asarray(value)


def _parts(value: Any) -> list[np.ndarray]:
    """The arrays of a value or a gradient: several, if the operation has several outputs."""
    several = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else (value,)
    return [np.asarray(part) for part in several]


def _norm(value: Any) -> float:
    """The Euclidean norm."""
    total = 0.0
    for part in _parts(0.0 if value is None else value):
        flat = part.ravel()
        if part.dtype.kind == "f":
            total += float(np.dot(flat, flat)) if part.dtype == np.float64 else float(
                np.linalg.norm(flat.astype(np.float64))) ** 2
    return math.sqrt(total)


def _finite(array: Any) -> bool:
    array = np.asarray(array)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def _count(value: Any) -> str:
    """How many elements are NaN or infinite."""
    array = next((part for part in _parts(value) if not _finite(part)), np.zeros(1))
    nan = int(np.isnan(array).sum())
    what, count = ("NaN", nan) if nan else ("infinite", int((~np.isfinite(array)).sum()))
    return what if array.size == 1 else f"{count:,} of {array.size:,} {what}"


def _first_bad(node: Node, value: Any, graph: Graph) -> str:
    """How many elements are bad, and the first of them with its arguments."""
    line = _count(value)
    array = next(part for part in _parts(value) if not _finite(part))
    at = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
    values = [_array(graph, origin) for origin in _origins(node)]
    if notation.of(node).elementwise and node.operation.notation and all(v.dtype.kind in "fiub" for v in values):
        try:
            numbers = [text.number(np.broadcast_to(v, array.shape)[at]) for v in values]
        except ValueError:
            return line
        bracketed = [f"({number})" if number[0] == "-" else number for number in numbers]
        line += f": {notation.formula(node, bracketed)} = {text.number(array[at])}"
    if array.dtype == np.float16 and np.isinf(array[at]):
        line += "; float16 ends at 65,504"
    return line


def _writes_infinity(node: Node) -> bool:
    """Whether infinity is an option of the call, as in masked_fill."""
    return any(isinstance(option, float) and not math.isfinite(option) for option in node.options.values())


def _underflows(node: Node, graph: Graph) -> bool:
    """Whether a product is zero though no factor is, for at least half of its elements."""
    if node.name not in ("mul", "prod", "pow", "power_of_number", "square", "div"):
        return False
    value = graph.values[node]
    if not np.size(value) or np.all(value):
        return False
    zero, values = np.asarray(value) == 0, [_array(graph, origin) for origin in _origins(node)]
    if node.name == "prod":
        return bool(zero.all() and values[0].size and values[0].all())
    factors = [np.broadcast_to(v != 0, zero.shape) for v in (values if node.name == "mul" else values[:1])]
    return bool(np.logical_and.reduce([zero, *factors]).mean() >= 0.5)


def _smallest(node: Node, graph: Graph) -> str:
    """The factors of a product that is lost: the least number in each."""
    factors = [np.abs(v[v != 0]).min() for o in _origins(node) if (v := _array(graph, o)).any()]
    return f"{node.name} of " + " and ".join(map(text.number, factors))


def _pulled(graph: Graph, node: Node, vertex: Any, factor: float) -> Any:
    """What a node would send to an argument if a gradient arrived that was so many times as large."""
    larger = np.asarray(graph.gradients[node]) * graph.values[node].dtype.type(factor)
    sent = graph.pull_back(node, larger)
    return next((g for i, g in sent.items() if node.parents[i] is vertex), None)

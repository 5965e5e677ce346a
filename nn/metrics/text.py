"""Measures of texts: edit distance, BLEU, perplexity."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import Tensor, as_tensor
from autograd.errors import ShapeError
from autograd.typing import TensorLike
from nn import functional as F
from nn.metrics.metric import Metric, result


def _distance(a: Sequence[Any], b: Sequence[Any], substitution_cost: int) -> int:
    """The least cost of changes that make b of a: insertions and deletions cost 1 (Levenshtein 1966)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (0 if x == y else substitution_cost))
    return row[-1]


def _plain(sequence: Any) -> Any:
    return sequence.tolist() if isinstance(sequence, (Tensor, np.ndarray)) else sequence


def _distances(preds: Any, target: Any, substitution_cost: int) -> list[int]:
    """The distance of each pair; a single string is a pair of its own."""
    preds, target = ([x] if isinstance(x, str) else list(x) for x in (preds, target))
    if len(preds) != len(target):
        raise ValueError(f"preds and target must be of the same sequences, not {len(preds)} and {len(target)} of them")
    if any(np.ndim(_plain(x)) == 0 and not isinstance(x, str) for x in [*preds, *target]):
        raise TypeError("preds and target are lists of sequences: of strings, or of lists of words or of numbers; for "
                        "one pair write [preds] and [target]")
    return [_distance(_plain(p), _plain(t), substitution_cost) for p, t in zip(preds, target, strict=True)]


class EditDistance(Metric):
    """How many elements must be inserted, deleted or substituted to make the target of what was predicted.

    Args:
        substitution_cost: what a substitution counts; the others count 1.
        reduction: over the pairs: "mean", "sum", "none" or None.

    Sequences are strings (of characters), or lists of words or of numbers.
    """

    def __init__(self, substitution_cost: int = 1, reduction: str | None = "mean") -> None:
        if reduction not in ("mean", "sum", "none", None):
            raise ValueError(f"reduction must be 'mean', 'sum' or 'none', not {reduction!r}")
        self.substitution_cost, self.reduction = substitution_cost, reduction

    def count(self, preds: Any, target: Any) -> tuple[list[int]]:
        """The distance of each pair."""
        return (_distances(preds, target, self.substitution_cost),)

    def value(self, distances: list[int]) -> Tensor:
        """The distances reduced; 0 without a pair."""
        if self.reduction == "mean":
            return result(sum(distances) / max(len(distances), 1))
        return Tensor(np.asarray(sum(distances) if self.reduction == "sum" else distances, np.int64))


def edit_distance(preds: Any, target: Any, substitution_cost: int = 1, reduction: str | None = "mean") -> Tensor:
    """The mean Levenshtein distance of pairs of strings, or of lists of words or numbers, as `EditDistance`.

    >>> edit_distance(["rain", "lnaguaeg"], ["shine", "language"], reduction="none")
    tensor([3, 4])
    >>> edit_distance([["a", "black", "dog"]], [["a", "dog"]])
    tensor(1.)
    """
    return EditDistance(substitution_cost, reduction)(preds, target)


def _n_grams(words: Sequence[str], n_gram: int) -> Counter:
    return Counter(tuple(words[i:i + n]) for n in range(1, n_gram + 1) for i in range(len(words) - n + 1))


class BLEUScore(Metric):
    """BLEU (Papineni et al. 2002): the geometric mean of the precisions of n-grams, with a penalty if it is short.

    Args:
        n_gram: the longest n-gram that counts.
        smooth: add 1 to the counts of n-grams from n = 2 on (Lin and Och 2004).
        weights: of the n-grams; default 1 / n_gram for each.
        tokenizer: makes words of a text; default, as divided by spaces.

    Args of `update`: texts, and for each a list of texts that it may say. Counts add up over all texts (the measure is
    of a corpus, not the mean of its sentences).
    """

    def __init__(self, n_gram: int = 4, smooth: bool = False, weights: Sequence[float] | None = None,
                 tokenizer: Callable[[str], Sequence[str]] = str.split) -> None:
        if weights is not None and len(weights) != n_gram:
            raise ValueError(f"weights must be one for each of the {n_gram} lengths of n-grams, not {len(weights)}")
        self.n_gram, self.smooth, self.tokenizer = n_gram, smooth, tokenizer
        self.weights = np.full(n_gram, 1 / n_gram) if weights is None else np.asarray(weights)

    def count(self, preds: str | Sequence[str], target: Sequence[str | Sequence[str]]) -> tuple[Any, ...]:
        """n-grams that are right, and all; the lengths of the texts and of those nearest in length."""
        preds = [preds] if isinstance(preds, str) else preds
        texts = [[t] if isinstance(t, str) else t for t in target]
        if len(preds) != len(texts):
            raise ValueError(f"target must have a list of texts for each of preds: {len(texts)} for {len(preds)}")
        right, every = np.zeros(self.n_gram), np.zeros(self.n_gram)
        length = reference_length = 0
        for text, references in zip(preds, texts, strict=True):
            words, true = self.tokenizer(text), [self.tokenizer(t) for t in references]
            length += len(words)
            reference_length += min((len(t) for t in true), key=lambda n: abs(n - len(words)))
            found, allowed = _n_grams(words, self.n_gram), Counter[Any]()
            for t in true:
                allowed |= _n_grams(t, self.n_gram)
            for counts, into in ((found & allowed, right), (found, every)):
                for gram, times in counts.items():
                    into[len(gram) - 1] += times
        return right, every, length, reference_length

    def value(self, right: np.ndarray, every: np.ndarray, length: int, reference_length: int) -> Tensor:
        """The score; 0 if there is a length of which no n-gram is right."""
        if not right.min():
            return result(0.0)
        add = np.where(np.arange(self.n_gram) > 0, float(self.smooth), 0)
        mean = np.exp(self.weights @ np.log((right + add) / (every + add)))
        return result(mean * (1 if length > reference_length else math.exp(1 - reference_length / length)))


def bleu_score(preds: str | Sequence[str], target: Sequence[str | Sequence[str]], n_gram: int = 4,
               smooth: bool = False, weights: Sequence[float] | None = None) -> Tensor:
    """BLEU of texts, each with a list of texts that it may say; arguments as of `BLEUScore`.

    >>> bleu_score(["the cat is on the mat"], [["there is a cat on the mat", "a cat is on the mat"]])
    tensor(0.7598)
    """
    return BLEUScore(n_gram, smooth, weights)(preds, target)


class Perplexity(Metric):
    """exp of the mean of -log p of the tokens that follow: of how many it is as if there was to choose.

    Args:
        ignore_index: a token in target that doesn't count.

    Args of `update`: logits (N, L, V), and tokens (N, L).
    """

    def __init__(self, ignore_index: int | None = None) -> None:
        self.ignore_index = ignore_index

    def count(self, preds: TensorLike, target: TensorLike) -> tuple[float, int]:
        """The sum of -log p, and the number of tokens."""
        logits, tokens = as_tensor(preds).detach(), as_tensor(target)
        if logits.ndim != 3 or logits.shape[:2] != tokens.shape:
            raise ShapeError(f"logits (N, L, V) go with tokens (N, L), not {logits.shape} with {tokens.shape}")
        ignored = -100 if self.ignore_index is None else self.ignore_index
        loss = F.cross_entropy(logits.double().reshape(-1, logits.shape[2]), tokens.reshape(-1), ignore_index=ignored,
                               reduction="sum")
        return float(loss), int((tokens != ignored).sum())

    def value(self, loss: float, tokens: int) -> Tensor:
        """The exponential of the mean; NaN without a token."""
        return result(np.exp(loss / tokens) if tokens else np.nan)


def perplexity(preds: TensorLike, target: TensorLike, ignore_index: int | None = None) -> Tensor:
    """exp of the mean of -log p of tokens (N, L), by logits (N, L, V), as `Perplexity`.

    >>> perplexity(zeros(1, 3, 8), tensor([[0, 5, 7]]))
    tensor(8.)
    """
    return Perplexity(ignore_index)(preds, target)

"""K-means finds what scikit-learn's finds from the same beginning."""

import numpy as np
import pytest

import autograd
from autograd.errors import ShapeError
from nn.data import KMeans

rng = np.random.default_rng(0)
DATA = np.concatenate([rng.standard_normal((40, 3)) + center for center in rng.standard_normal((6, 3)) * 4])


def test_from_the_same_centers_it_is_scikit_learns():
    cluster = pytest.importorskip("sklearn.cluster")
    for tol in (0.0, 0.3):
        reference = cluster.KMeans(6, init=DATA[:6], n_init=1, tol=tol).fit(DATA)
        ours = KMeans(6, init=DATA[:6], tol=tol).fit(DATA)
        np.testing.assert_allclose(ours.cluster_centers_.numpy(), reference.cluster_centers_)
        assert (ours.labels_.numpy() == reference.labels_).all()
        np.testing.assert_allclose(ours.inertia_, reference.inertia_)
        assert (ours.predict(DATA + 0.1).numpy() == reference.predict(DATA + 0.1)).all()


def test_centers_are_the_means_of_their_examples_and_beginnings_are_repeated():
    found = [KMeans(6, tol=0.0, n_init=3, generator=autograd.Generator().manual_seed(1)).fit(DATA) for _ in range(2)]
    assert found[0].inertia_ == found[1].inertia_
    for k, center in enumerate(found[0].cluster_centers_.numpy()):
        np.testing.assert_allclose(DATA[found[0].labels_.numpy() == k].mean(0), center)


def test_a_center_without_examples_takes_the_one_that_lies_worst():
    x = np.array([[0.0], [1.0], [10.0]])
    found = KMeans(3, init=np.array([[0.0], [100.0], [200.0]])).fit(x)
    assert sorted(found.cluster_centers_.numpy()[:, 0].tolist()) == [0, 1, 10] and found.inertia_ == 0


def test_equal_examples_are_no_trouble():
    assert KMeans(3).fit(np.ones((5, 2))).inertia_ == 0


def test_misuse_is_refused():
    with pytest.raises(ShapeError, match="N at least 8"):
        KMeans().fit(DATA[:7])
    with pytest.raises(RuntimeError, match="fit"):
        KMeans().predict(DATA)
    with pytest.raises(ShapeError, match=r"\(2, 3\)"):
        KMeans(2, init=DATA[:3]).fit(DATA)

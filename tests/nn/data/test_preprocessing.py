"""Preprocessing: the moments it promises, on the data whose statistics were taken."""

import numpy as np
import pytest

from nn.data import PCA, Normalize, Whiten, ZeroCenter

rng = np.random.default_rng(0)
train = rng.standard_normal((200, 6)) @ rng.standard_normal((6, 6)) + 3
test = rng.standard_normal((20, 6))


def test_features_are_centred_and_scaled_by_the_training_set_alone():
    np.testing.assert_allclose(ZeroCenter().fit(train)(train).numpy().mean(0), 0, atol=1e-12)
    prepare = Normalize().fit(train)
    np.testing.assert_allclose(prepare(train).numpy().std(0), 1)
    np.testing.assert_allclose(prepare(test).numpy(), (test - train.mean(0)) / train.std(0))


def test_a_constant_feature_stays_finite():
    assert not Normalize().fit(np.ones((3, 2)))(np.ones((3, 2))).numpy().any()


def test_pca_decorrelates_and_keeps_distances():
    out = PCA().fit(train)(train).numpy()
    covariance = np.cov(out.T)
    np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-10)
    assert (np.diff(np.diag(covariance)) <= 0).all()
    np.testing.assert_allclose(np.linalg.norm(out, axis=1), np.linalg.norm(train - train.mean(0), axis=1))


def test_fewer_components_are_scikit_learns():
    reference = pytest.importorskip("sklearn.decomposition").PCA(3).fit(train)
    np.testing.assert_allclose(np.abs(PCA(3).fit(train)(test).numpy()), np.abs(reference.transform(test)), rtol=1e-6)


def test_variances_and_the_way_back_are_scikit_learns():
    decomposition = pytest.importorskip("sklearn.decomposition")
    for prepare, whiten in ((PCA(3), False), (Whiten(3, eps=0), True)):
        reference = decomposition.PCA(3, whiten=whiten).fit(train)
        prepare.fit(train)
        np.testing.assert_allclose(prepare.explained_variance_, reference.explained_variance_)
        np.testing.assert_allclose(prepare.explained_variance_ratio_, reference.explained_variance_ratio_)
        np.testing.assert_allclose(np.abs(prepare.components_), np.abs(reference.components_), atol=1e-9)
        np.testing.assert_allclose(prepare.inverse_transform(prepare(test)).numpy(),
                                   reference.inverse_transform(reference.transform(test)))


def test_all_components_lead_back():
    for prepare in (PCA().fit(train), Whiten(eps=0.1).fit(train)):
        np.testing.assert_allclose(prepare.inverse_transform(prepare(test)).numpy(), test)
    with pytest.raises(ValueError, match=r"\(N, 6\)"):
        prepare.inverse_transform(test[:, :4])


def test_whitened_features_have_the_identity_as_covariance():
    out = Whiten(eps=0).fit(train)(train).numpy()
    np.testing.assert_allclose(out.T @ out / len(out), np.eye(6), atol=1e-9)


def test_images_keep_shape_and_dtype():
    images = rng.standard_normal((9, 1, 2, 3)).astype(np.float32)
    out = Whiten().fit(images)(images)
    assert out.shape == images.shape and out.dtype == np.float32
    assert Whiten(2).fit(images)(images).shape == (9, 2)


def test_misuse_is_refused():
    with pytest.raises(RuntimeError, match="fit"):
        Normalize()(train)
    with pytest.raises(ValueError, match=r"6 features.*\(20, 5\)"):
        Normalize().fit(train)(test[:, :5])
    with pytest.raises(ValueError, match="from 1 to 6"):
        PCA(7).fit(train)
    with pytest.raises(ValueError, match="int64"):
        Normalize().fit(np.arange(6).reshape(3, 2))

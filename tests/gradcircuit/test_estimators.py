"""Networks as scikit-learn's estimators."""

import pickle

import numpy as np
import pytest

import autograd
import nn
import optim

pytest.importorskip("sklearn", minversion="1.6")
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from gradcircuit.estimators import NetClassifier, NetRegressor

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]


class Deep(nn.Module):
    def __init__(self, hidden=8, depth=1):
        super().__init__()
        layers = [nn.LazyLinear(hidden), nn.Tanh()]
        for _ in range(depth):
            layers += [nn.Linear(hidden, hidden), nn.Tanh()]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden, 3))

    def forward(self, x):
        return self.layers(x)


@pytest.mark.slow
@parametrize_with_checks([NetClassifier(), NetRegressor()])
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_in_a_pipeline_and_a_search_over_the_parameters_of_its_parts():
    pipeline = make_pipeline(StandardScaler(), NetClassifier(Deep, max_epochs=50, random_state=0))
    search = GridSearchCV(pipeline, {"netclassifier__module__hidden": [1, 16],
                                     "netclassifier__optimizer": [optim.Adam]}, cv=3)
    search.fit(X, NAMES)
    assert search.best_params_["netclassifier__module__hidden"] == 16
    assert search.best_score_ > 0.9 and set(search.predict(X)) == set(NAMES)
    assert search.best_estimator_[-1].module_.layers[0].weight.shape == (16, 4)


def test_a_regressor_predicts_as_many_numbers_as_it_was_given():
    x, y = load_diabetes(return_X_y=True)
    x, y = StandardScaler().fit_transform(x), (y - y.mean()) / y.std()
    net = NetRegressor(random_state=0, max_epochs=30, early_stopping=5)
    assert cross_val_score(net, x, y, cv=3).mean() > 0.35
    assert net.fit(x, np.stack([y, -y], 1)).predict(x).shape == (len(x), 2)


def test_the_same_seed_gives_the_same_network_and_leaves_the_stream_alone():
    autograd.manual_seed(5)
    state = autograd.get_rng_state()
    first, second = (NetClassifier(max_epochs=3, random_state=7).fit(X, Y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (autograd.get_rng_state() == state).all()
    assert (NetClassifier(max_epochs=3, random_state=8).fit(X, Y).predict_proba(X) != first).any()


def test_it_is_cloned_untrained_and_saved_trained():
    net = NetClassifier(Deep, module__hidden=5, optimizer=optim.SGD, optimizer__momentum=0.9, max_epochs=3).fit(X, Y)
    fresh = clone(net)
    assert fresh.get_params() == net.get_params() and not hasattr(fresh, "module_")
    assert fresh.module__hidden == 5 and net.optimizer_.param_groups[0]["momentum"] == 0.9
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))


def test_weights_count_as_often_as_their_examples():
    rng = np.random.default_rng(0)
    weight = rng.integers(0, 3, len(X))
    seen = np.repeat(np.arange(len(X)), weight)
    options = {"batch_size": 10_000, "optimizer": optim.SGD, "max_epochs": 10, "random_state": 0}
    weighted = NetClassifier(**options).fit(X, Y, sample_weight=weight).predict_proba(X)
    repeated = NetClassifier(**options).fit(X[seen], Y[seen]).predict_proba(X)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9)


def test_epochs_one_by_one():
    net = NetClassifier(random_state=0)
    for _ in range(40):
        net.partial_fit(X[::2], NAMES[::2], classes=np.unique(NAMES))
    assert net.score(X, NAMES) > 0.9 and [entry["epoch"] for entry in net.history_] == list(range(1, 41))


def test_early_stopping_keeps_the_best_weights():
    lost = []
    net = NetClassifier(lr=0.05, max_epochs=400, early_stopping=4, validation_fraction=0.3, random_state=1,
                        callbacks=[lambda net: lost.append(net.history_[-1]["valid_loss"])]).fit(X, Y)
    assert len(lost) == len(net.history_) < 400
    assert int(np.argmin(lost)) == len(lost) - 1 - 4


def test_a_module_of_ones_own_is_left_as_it_was():
    module = Deep()
    module(autograd.randn(2, 4))
    before = module.layers[0].weight.clone()
    NetClassifier(module, max_epochs=2).fit(X.astype(np.float32), Y)
    assert (module.layers[0].weight == before).all()


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: NetClassifier(hidden=3).fit(X, Y), TypeError, r"no parameter 'hidden'.*module__hidden"),
    (lambda: NetClassifier().set_params(hidden=3), ValueError, "hidden"),
    (lambda: NetClassifier().fit(X, Y * 0), ValueError, r"one class, .*0"),
    (lambda: NetClassifier().fit(X, Y, sample_weight=Y * 0), ValueError, "(?i)sample.weight"),
    (lambda: NetClassifier().fit(X, X[:, 0]), ValueError, "continuous"),
    (lambda: NetClassifier().predict(X), Exception, "not fitted"),
])
def test_mistakes(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_without_scikit_learn_the_error_says_what_to_install():
    import subprocess
    import sys
    program = "import sys; sys.modules['sklearn'] = sys.modules['sklearn.base'] = None; import gradcircuit.estimators"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "pip install 'gradcircuit[estimators]'" in result.stderr

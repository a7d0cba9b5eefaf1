"""scikit-learn, unchanged but for two lines: the same scores as on loky."""

import numpy
import pytest
from versions import context

pytest.importorskip("sklearn")

from sklearn.datasets import load_digits, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.linear_model import Ridge
from sklearn.svm import SVC


def on(backend, work):
    with context(backend, n_jobs=2):
        return work()


def test_grid_search_has_the_scores_of_loky(cluster):
    X, y = load_digits(return_X_y=True)
    X, y = X[:400], y[:400]

    def search():
        found = GridSearchCV(SVC(), {"C": [0.1, 1, 10], "gamma": [1e-3, 1e-4]}, cv=3).fit(X, y)
        return found.best_params_, found.cv_results_["mean_test_score"].tolist()

    assert on("orleans", search) == on("loky", search)


def test_random_forest_has_the_trees_of_loky(cluster):
    X, y = load_digits(return_X_y=True)

    def forest():
        model = RandomForestClassifier(n_estimators=20, random_state=0).fit(X[:1200], y[:1200])
        return model.score(X[1200:], y[1200:]), model.feature_importances_.tolist()

    assert on("orleans", forest) == on("loky", forest)


def test_forests_inside_of_a_cross_validation(cluster):
    X, y = load_digits(return_X_y=True)

    def scores():
        return cross_val_score(RandomForestClassifier(n_estimators=10, random_state=0, n_jobs=2), X[:600], y[:600], cv=4).tolist()

    assert on("orleans", scores) == on("loky", scores)


def test_large_data_is_shared(cluster):
    X, y = make_regression(20_000, 40, random_state=0)
    assert X.nbytes > 1 << 20

    def scores():
        return cross_val_score(Ridge(), X, y, cv=4)

    numpy.testing.assert_allclose(on("orleans", scores), on("loky", scores), rtol=1e-12)


def test_errors_of_estimators_are_warnings_as_on_loky(cluster):
    X, y = load_digits(return_X_y=True)

    def search():
        with pytest.warns(Warning, match="fits failed"):
            return GridSearchCV(SVC(), {"C": [1.0, -1.0]}, cv=2).fit(X[:100], y[:100]).cv_results_["mean_test_score"].tolist()

    numpy.testing.assert_array_equal(on("orleans", search), on("loky", search))

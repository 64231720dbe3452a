"""`kata experiment`: every experiment runs on the sample, its figures are those of the functions, its words follow."""

from __future__ import annotations

import io
import re
import sys

import numpy as np
import pytest
from faces import kata
from PIL import Image
from rich.console import Console

import datasets
from experiments import (
    bottleneck,
    capacity,
    catalogue,
    curves,
    dropout,
    grid_search,
    l2,
    learning_rates,
    optimizers,
    reading,
    reviews,
)
from experiments import experiment as command
from experiments.comparison import Compared
from experiments.experiment import Outcome, Request
from experiments.folds import K, settling
from experiments.iterated_kfold import REPETITIONS
from experiments.learner import Learner
from experiments.training import Epoch, Training
from grader import kit
from solutions import ch06_optimizers, ch07_training
from solutions.ch08_evaluation import iterated_kfold_indices, kfold_indices
from solutions.projects import boston, imdb

SEED, EPOCHS = 3, 2


def request(epochs: int = EPOCHS) -> Request:
    return Request(epochs, SEED, True, Console(file=io.StringIO(), width=200))


def text_of(outcome: Outcome) -> str:
    """All tables and sentences, as a terminal shows them."""
    console = Console(file=io.StringIO(), width=200, highlight=False)
    for table in outcome.tables:
        console.print(table)
    return console.file.getvalue() + "\n".join(outcome.sentences)  # type: ignore[attr-defined]


def compared(label: str, val_losses: list[float], metrics: list[float] | None = None) -> Compared:
    """A finished training with these validation losses."""
    metrics = metrics or [1 - loss for loss in val_losses]
    epochs = [Epoch(loss, metric, loss, metric) for loss, metric in zip(val_losses, metrics, strict=True)]
    learner = Learner.__new__(Learner)
    learner.recipe = datasets.recipes.recipe("imdb")
    return Compared(label, learner, Training((), epochs))


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_every_experiment_prints_a_table_says_what_it_shows_and_draws_a_picture(tmp_path, name):
    experiment = catalogue.experiment(name)
    assert experiment.name == name
    console = Console(file=io.StringIO(), width=200, highlight=False)
    assert command.run(experiment, EPOCHS, SEED, True, tmp_path, console)
    said = console.file.getvalue()
    assert "bundled sample" in said
    assert experiment.title in said
    assert "┏" in said
    assert f"Picture: {tmp_path}" in said
    with Image.open(tmp_path / f"{name}.png") as image:
        image.verify()
        assert image.format == "PNG"


def test_no_experiment_is_left_out_of_the_catalogue():
    paths = (kit.ROOT / "experiments").glob("*.py")
    made = [path.stem for path in paths if re.search(r"^experiment = ", path.read_text(encoding="utf-8"), re.MULTILINE)]
    assert sorted(made) == sorted(catalogue.NAMES)


def test_the_command_lists_them_and_refuses_others_in_one_line(tmp_path):
    listed = kata("experiment", cwd=tmp_path)
    assert (listed.code, listed.err) == (0, "")
    assert [line.split()[0] for line in listed.out.splitlines()] == list(catalogue.NAMES)
    unknown = kata("experiment", "capacitance", cwd=tmp_path)
    assert unknown.code == 2
    assert len(unknown.told) == 1
    assert "capacity" in unknown.err
    (tmp_path / "file").write_text("in the way")
    blocked = kata("experiment", "kfold", "--out", "file", cwd=tmp_path)
    assert (blocked.code, len(blocked.told)) == (2, 1)


def test_without_matplotlib_the_tables_still_come(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    console = Console(file=io.StringIO(), width=200, highlight=False)
    assert command.run(catalogue.experiment("kfold"), 1, SEED, True, tmp_path / "out", console)
    said = console.file.getvalue()
    assert "rows validated" in said
    assert "pip install 'deepkata[pictures]'" in said
    assert not (tmp_path / "out").exists()


# --- film reviews and newswires ---------------------------------------------------------------------------------------


def test_the_networks_are_those_that_the_project_trains():
    """The 4-4 network's validation loss, from the project's own train and predict on the same reviews."""
    outcome = capacity.make(request())
    data = datasets.load("imdb", sample=True, num_words=10_000)
    validation = round(0.4 * len(data.y_train))
    rows = np.arange(validation, len(data.y_train))
    texts, held_out = data.x_train.take(rows), data.x_train.take(np.arange(validation))
    rng = np.random.default_rng(SEED)
    params = imdb.train(texts.ids, texts.offsets, data.y_train[rows], rng, 10_000, (4, 4), EPOCHS, 512)
    praise = imdb.predict(held_out.ids, held_out.offsets, params).reshape(-1).astype(np.float64)
    right = np.where(data.y_train[:validation] == 1, praise, 1 - praise)
    assert f"{-np.log(right).mean():.4f}" in text_of(outcome)
    assert f"{sum(param.size for param in params):,}" in text_of(outcome)
    told = [text.get_text() for text in outcome.draw().axes[0].get_legend().get_texts()]
    assert [label for label in told if "-" in label] == ["4-4", "16-16", "512-512"]


@pytest.mark.parametrize("experiment", [l2, dropout])
def test_a_remedy_changes_the_training_and_nothing_else(experiment):
    """Without it: the same network as in `capacity`, from the same seed. With it: another one, the same each time."""
    plain = text_of(capacity.make(request(1))).splitlines()
    once, again = (text_of(experiment.make(request(1))) for _ in range(2))
    assert once == again
    without, remedied = (line.split("│")[3:] for line in once.splitlines() if line.startswith("│ with"))
    sixteen = next(line for line in plain if line.startswith("│ 16-16")).split("│")[3:]
    assert [cell.strip() for cell in without] == [cell.strip() for cell in sixteen]
    assert without != remedied


def test_an_l2_penalty_makes_the_weights_smaller():
    networks = (reviews.Network("without", l2.UNITS), reviews.Network("with", l2.UNITS, l2.penalized))
    (without, penalized), _, _ = reviews.trained("imdb", request(6), networks)
    large, small = (np.square(one.training.params[0]).sum() for one in (without, penalized))
    assert small < 0.8 * large


def test_the_bottleneck_is_told_from_the_figures():
    wide, narrow = compared("64-64", [1.0, 0.9], [0.7, 0.8]), compared("64-4", [2.0, 1.9], [0.6, 0.55])
    (told,) = bottleneck.read([wide, narrow])
    assert "80.0 are right with 64 units, 60.0 with 4" in told
    assert "20.0 are lost" in told
    (told,) = bottleneck.read([narrow, wide])
    assert "nothing is lost" in told
    assert bottleneck.read([wide]) == []


def test_words_about_curves_follow_the_curves():
    early, late = compared("large", [0.5, 0.3, 0.6, 0.9]), compared("small", [0.6, 0.5, 0.4, 0.45])
    assert reading.each([early, late]) == [
        "large: The validation loss is lowest after epoch 2 (0.3000), then it rises to 0.9000 after epoch 4: "
        "from epoch 3 on the network overfits.",
        "small: The validation loss is lowest after epoch 3 (0.4000), then it rises to 0.4500 after epoch 4: "
        "from epoch 4 on the network overfits.",
    ]
    assert reading.order([late, early, late]) == [
        "First to overfit, after epoch 2: large. Last, after epoch 3: small and small.",
        "The validation loss ends above its lowest value by 0.050 with small, 0.600 with large, 0.050 with small.",
    ]
    assert reading.order([early, early]) == []
    assert "holds overfitting back" in reading.remedy([early, late])[0]
    assert "does not hold overfitting back" in reading.remedy([late, early])[0]
    assert "hardly moves from there" in reading.overfitting(np.array([3, 2, 2.05], np.float32), "loss")
    assert "more epochs may still help" in reading.overfitting(np.array([3, 2, 1], np.float32), "loss")
    assert "NaN" in reading.overfitting(np.full(3, np.nan, np.float32), "loss")


def test_the_picture_has_one_curve_per_network_and_a_ring_at_its_lowest_loss():
    done = [compared("large", [0.5, 0.3, 0.6]), compared("small", [0.6, 0.5, 0.4])]
    figure = curves.compared_picture(done, "a title")
    losses, metrics = figure.axes
    assert figure.get_suptitle() == "a title"
    assert (losses.get_ylabel(), metrics.get_ylabel()) == ("validation loss", "validation binary accuracy")
    for field, name in ((losses, "val_loss"), (metrics, "val_metric")):
        rings = [line for line in field.get_lines() if line.get_markerfacecolor() == "none"]
        drawn = {str(line.get_label()): line for line in field.get_lines() if line not in rings}
        assert list(drawn) == ["large", "small"]
        told = [text.get_text() for text in field.get_legend().get_texts()]
        assert told == ["large", "lowest validation loss", "small"]
        for one in done:
            assert np.array_equal(drawn[one.label].get_ydata(), one.training.curve(name))
        assert len({str(line.get_linestyle()) for line in drawn.values()}) == 2, "readable in grey"
        assert [list(ring.get_xdata()) for ring in rings] == [[2], [3]]


def test_ctrl_c_keeps_the_networks_that_were_trained(tmp_path, monkeypatch):
    original, calls = Learner.epoch, 0

    def epoch(self, *arguments):
        nonlocal calls
        calls += 1
        if calls == 10:  # four pieces per epoch: in the first epoch of the second network
            raise KeyboardInterrupt
        return original(self, *arguments)

    monkeypatch.setattr(Learner, "epoch", epoch)
    console = Console(file=io.StringIO(), width=200, highlight=False)
    assert not command.run(catalogue.experiment("capacity"), 2, SEED, True, tmp_path, console)
    said = console.file.getvalue()
    assert "│ 4-4" in said
    assert "│ 512-512" not in said
    assert (tmp_path / "capacity.png").exists()


# --- house prices -----------------------------------------------------------------------------------------------------


def table_rows(outcome: Outcome) -> list[list[str]]:
    """The cells of the first table."""
    return [
        [cell.strip() for cell in line.strip("│").split("│")]
        for line in text_of(outcome).splitlines()
        if line.startswith("│")
    ]


def houses() -> tuple[np.ndarray, np.ndarray]:
    data = datasets.load("boston", sample=True)
    return data.x_train, data.y_train.astype(np.float32)


def test_kfold_prints_what_the_projects_own_kfold_finds():
    outcome = catalogue.experiment("kfold").make(request(12))
    scores = boston.kfold_scores(*houses(), K, np.random.default_rng(SEED), 64, 12, 16)
    best = boston.best_epoch(scores)
    *folds, mean = table_rows(outcome)
    for row, curve, (_, validated) in zip(folds, scores, kfold_indices(404, K), strict=True):
        low = int(curve.argmin())
        assert row[1:] == [str(len(validated)), f"{curve[low]:.2f}", str(low + 1), f"{curve[best - 1]:.2f}"]
    assert mean == ["mean", "", f"{scores.mean(axis=0)[best - 1]:.2f}", str(best), f"{scores[:, best - 1].mean():.2f}"]
    assert f"lowest after epoch {best}" in outcome.sentences[0]
    lines = {str(line.get_label()): line for line in outcome.draw().axes[0].get_lines()}
    assert set(lines[f"lowest mean: epoch {best}"].get_xdata()) == {best}
    np.testing.assert_allclose(lines[f"mean of {K}"].get_ydata(), scores.mean(axis=0)[1:], rtol=1e-6)


def test_where_a_smoothed_curve_settles_is_its_first_value_near_the_lowest():
    smooth = np.array([np.nan, 3.0, 2.5, 2.01, 2.03, 2.0], np.float32)
    assert "in epoch 4." in settling(smooth)


def test_iterated_kfold_prints_one_mean_per_repetition():
    outcome = catalogue.experiment("iterated_kfold").make(request(3))
    rng = np.random.default_rng(SEED)
    scores = boston.iterated_kfold_scores(*houses(), K, REPETITIONS, rng, 64, 3, 16)
    assert len(list(iterated_kfold_indices(404, K, REPETITIONS, np.random.default_rng(SEED)))) == len(scores)
    *rows, mean = table_rows(outcome)
    rounds = scores.reshape(REPETITIONS, K, -1).mean(axis=1)
    for row, curve in zip(rows, rounds, strict=True):
        assert row[1:3] == [f"{curve.min():.2f}", str(int(curve.argmin()) + 1)]
    assert mean[1] == f"{rounds.mean(axis=0).min():.2f}"


def test_grid_search_takes_the_lowest_of_all_combinations():
    outcome = grid_search.make(request(8))
    rows = table_rows(outcome)
    assert [row[0] for row in rows] == [str(units) for units in grid_search.UNITS]
    for row in rows[:2]:
        rng = np.random.default_rng(SEED)
        mean = boston.kfold_scores(*houses(), K, rng, int(row[0]), 8, 16).mean(axis=0)
        assert row[1:] == [f"{mean[epochs - 1]:.2f}" for epochs in (1, 2, 4, 8)]
    errors = np.array([[float(cell) for cell in row[1:]] for row in rows])
    assert f"with {errors.min():.2f}; the worst has {errors.max():.2f}" in outcome.sentences[0]
    at = np.unravel_index(errors.argmin(), errors.shape)
    assert f"{grid_search.UNITS[at[0]]} units and {(1, 2, 4, 8)[at[1]]} epochs" in outcome.sentences[0]
    field = outcome.draw().axes[0]
    assert (field.get_xlabel(), field.get_ylabel()) == ("epochs", "units of each hidden layer")
    framed = [text.get_text() for text in field.texts if text.get_bbox_patch() is not None]
    assert framed == [f"{errors.min():.2f}"]


# --- learning ---------------------------------------------------------------------------------------------------------


def test_plain_gradient_descent_is_that_of_ch07():
    """The small network with SGD, against ch07's own epoch, bit by bit."""
    from experiments.small import HELD_OUT, HIDDEN, IMAGES, trained

    rate = 0.1
    (one,), _, _ = trained(request(1), [learning_rates.Optimizer("one", (), learning_rates.stepping(rate))])
    data = datasets.load("mnist", sample=True)
    count = min(IMAGES, len(data.y_train))
    rows = np.arange(round(HELD_OUT * count), count)
    rng = np.random.default_rng(SEED)
    params, _ = one.learner.begin(rng)
    assert params[0].shape == (784, HIDDEN)
    x = data.x_train.reshape(len(data.x_train), -1).astype(np.float32) / np.float32(255)
    ch07_training.train_epoch(x, data.y_train.astype(np.int64), params, rng.permutation(rows), 128, rate)
    for found, expected in zip(one.training.params, params, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_every_optimizer_of_ch06_is_compared():
    steps = {name.removesuffix("_step") for name in dir(ch06_optimizers) if name.endswith("_step")}
    assert {one.label.partition(" ")[0].lower() for one in optimizers.OPTIMIZERS} == steps


def test_optimizers_are_ranked_by_where_they_end():
    fast, slow = compared("fast", [1.0, 0.5, 0.2]), compared("slow", [2.0, 1.0, 0.6])
    (told,) = optimizers.read([slow, fast])
    assert told == (
        "fast ends with the lowest training loss (0.2000), slow with the highest (0.6000), "
        "which fast had reached after epoch 2 of 3."
    )


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (0.001, "too small"),
        (0.25, "stable: it arrives, straight"),
        (0.9, "from side to side"),
        (1.1, "too large: the distance to the lowest point grows from 3"),
    ],
)
def test_a_path_is_judged_by_where_it_leads(rate, words):
    assert words in learning_rates.judged_path(ch06_optimizers.descent_path(0.0, rate, 20))


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ([2.3, 2.2, 2.1], "too small"),
        ([1.0, 0.5, 0.2], "stable: the loss falls from 1 to 0.2"),
        ([2.5, 8.0, 3.0], "too large"),
        ([2.3, float("nan"), float("nan")], "too large"),
    ],
)
def test_losses_are_judged_by_where_they_lead(losses, words):
    assert learning_rates.judged_losses(np.array(losses, np.float32)).startswith(words)


def test_the_parabola_is_drawn_by_ch06s_own_path():
    outcome = learning_rates.make(request(1))
    left, right = outcome.draw().axes
    for line, rate in zip(left.get_lines(), learning_rates.PARABOLA_RATES, strict=True):
        path = ch06_optimizers.descent_path(learning_rates.START, rate, learning_rates.STEPS)
        np.testing.assert_allclose(line.get_ydata(), (path - 3) ** 2 + 1)
        assert line.get_label() == f"rate {rate:g}"
    assert (left.get_xlabel(), left.get_ylabel(), right.get_ylabel()) == ("step", "loss", "training loss")

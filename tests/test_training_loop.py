"""`kata train`: the loop trains what the projects' own `train` does, shows what happened, and fails in plain words."""

from __future__ import annotations

import io
import shutil
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from faces import hand_in, kata, kit_copy, run, written
from PIL import Image
from rich.console import Console

import datasets
from experiments import curves, pictures, predictions, projects, train
from experiments.brake import Brake
from experiments.learner import Learner
from experiments.source import Source
from experiments.train import Lesson, Wish
from experiments.training import Epoch, Training
from experiments.training import train as loop
from grader import kit
from grader.exercise import Exercise
from grader.problem import Problem
from solutions.ch07_training import smooth_curve
from solutions.projects import boston, imdb, mnist_mlp, reuters

SEED = 7


class Silent:
    """Watches, and says nothing."""

    def begin(self, epochs: int, samples: int) -> None: ...

    def piece(self, samples: int, loss: float) -> None: ...

    def epoch(self, training: Training) -> None: ...


class Recorded(Learner):
    """A network of one number, the mean of what it has seen; every order it was given is kept."""

    def __init__(self, interrupt_in: int = 0):
        self.recipe = projects.find("boston").recipe
        self.orders: list[np.ndarray] = []
        self.interrupt_in = interrupt_in

    def begin(self, rng):
        return (np.zeros(1, np.float32),), None

    def epoch(self, params, slots, order):
        self.orders.append(order)
        if len(self.orders) == self.interrupt_in:
            raise KeyboardInterrupt
        return order[:: self.recipe.batch_size].astype(np.float32)

    def score(self, params, part, rows):
        return float(rows.min()), float(rows.max())


def told() -> Console:
    """A console whose words can be read."""
    return Console(file=io.StringIO(), width=160, highlight=False)


def said(console: Console) -> str:
    return console.file.getvalue()  # type: ignore[attr-defined]


def lesson(name: str) -> Lesson:
    project = projects.find(name)
    return Lesson(project, Source(), project.load(sample=True), SEED, told())


def is_png(path: Path) -> bool:
    with Image.open(path) as image:
        image.verify()
        return image.format == "PNG" and min(image.size) > 200


# --- the loop ---------------------------------------------------------------------------------------------------------


def trained_by_the_project(name: str, data: datasets.Dataset, epochs: int) -> tuple[np.ndarray, ...]:
    """What the project's own `train` makes of the sample."""
    rng, labels = np.random.default_rng(SEED), data.y_train
    match name:
        case "mnist_mlp":
            return mnist_mlp.train(data.x_train, labels.astype(np.int64), rng, 512, epochs, 128)
        case "boston":
            x, _ = boston.prepare(data.x_train, data.x_test)
            return boston.train(x, labels.astype(np.float32), rng, 64, epochs, 16)
        case "imdb":
            return imdb.train(data.x_train.ids, data.x_train.offsets, labels, rng, 10_000, (16, 16), epochs, 512)
        case _:
            return reuters.train(data.x_train.ids, data.x_train.offsets, labels, rng, 10_000, (64, 64), epochs, 512)


@pytest.mark.parametrize("name", ["mnist_mlp", "imdb", "reuters", "boston"])
def test_the_loop_makes_the_network_that_the_project_makes(name):
    """The same weights and the same orders from the same seed, though an epoch is cut into pieces."""
    taught = lesson(name)
    learner, training = taught.finish(epochs=2)
    wanted = trained_by_the_project(name, taught.data, epochs=2)
    assert len(training.params) == len(wanted)
    for found, expected in zip(training.params, wanted, strict=True):
        # boston's own loop adds up in another order: it is made for speed
        np.testing.assert_allclose(found, expected, atol=0 if name != "boston" else 2e-3)
    assert np.array_equal(learner.rows, np.arange(len(taught.data.y_train)))


def test_every_epoch_visits_each_training_sample_once_and_no_other():
    learner, rows, validation = Recorded(), np.arange(30, 1000), np.arange(30)
    loop(learner, rows, validation, np.random.default_rng(1), 2, Silent())
    visits = np.concatenate(learner.orders)
    assert np.array_equal(np.sort(visits[: len(rows)]), rows)
    assert np.array_equal(np.sort(visits[len(rows) :]), rows)
    assert not np.array_equal(visits[: len(rows)], visits[len(rows) :]), "a new order each time"
    batch = learner.recipe.batch_size
    assert all(len(order) % batch == 0 for order in learner.orders[:-1] if order[-1] != visits[len(rows) - 1])


def test_the_loss_of_an_epoch_is_the_mean_over_its_samples():
    """The short last batch counts for as many samples as it has."""
    learner, rows = Recorded(), np.arange(10, 60)
    training = loop(learner, rows, np.arange(10), np.random.default_rng(1), 1, Silent())
    order = np.concatenate(learner.orders)
    sizes = np.array([16, 16, 16, 2])
    losses = np.concatenate([one[::16] for one in learner.orders])
    assert training.epochs[0].loss == pytest.approx(losses @ sizes / sizes.sum())
    assert len(order) == 50
    assert (training.epochs[0].val_loss, training.epochs[0].val_metric) == (0.0, 9.0)
    assert training.epochs[0].metric == 19.0, "as many training samples as there are for validation"


def test_ctrl_c_keeps_the_epochs_that_were_finished():
    learner = Recorded(interrupt_in=6)  # two pieces per epoch: in the middle of the third
    training = loop(learner, np.arange(8, 40), np.arange(8), np.random.default_rng(1), 50, Silent())
    assert training.stopped
    assert len(training.epochs) == 2


def test_ctrl_c_waits_for_compiled_code_to_end_and_stops_there():
    """An exception raised in the middle of it would come out as some other error."""

    class Pressing(Silent):
        def piece(self, samples: int, loss: float) -> None:
            if len(learner.orders) == 3:
                signal.raise_signal(signal.SIGINT)

    before, learner = signal.getsignal(signal.SIGINT), Recorded()
    training = loop(learner, np.arange(8, 40), np.arange(8), np.random.default_rng(1), 50, Pressing())
    assert training.stopped
    assert (len(training.epochs), len(learner.orders)) == (1, 3), "two pieces per epoch"
    assert signal.getsignal(signal.SIGINT) == before


def test_what_compiled_code_makes_of_ctrl_c_is_known():
    """numba: SystemError, caused by another one, caused by KeyboardInterrupt."""

    def compiled(*_):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as pressed:
            raise SystemError("returned a result with an exception set") from pressed

    with pytest.raises(KeyboardInterrupt), Brake():
        compiled()
    with pytest.raises(KeyboardInterrupt):
        Source(yours=True).call(Exercise("ch03_activations", "relu"), compiled)
    with pytest.raises(ZeroDivisionError), Brake():
        _ = 1 / 0


# --- the command ------------------------------------------------------------------------------------------------------


def test_a_training_is_shown_from_the_first_epoch_to_the_test_metric(tmp_path):
    console = told()
    assert train.run(Wish("mnist_mlp", epochs=3, seed=SEED, sample=True, out=tmp_path / "new"), console)
    text = said(console)
    assert "bundled sample" in text
    assert is_png(tmp_path / "new" / "mnist_mlp.png")
    assert is_png(tmp_path / "new" / "mnist_mlp_answers.png")

    taught = lesson("mnist_mlp")
    training = taught.watch(3)
    for epoch in training.epochs:
        assert all(f"{value:.4f}" in text for value in (epoch.loss, epoch.val_loss, epoch.metric, epoch.val_metric))
    best = taught.best(training)
    assert best == int(np.argmin(training.curve("val_loss"))) + 1
    params = trained_by_the_project("mnist_mlp", taught.data, best)
    right = mnist_mlp.predict(taught.data.x_test, params).argmax(axis=1) == taught.data.y_test
    assert f"{right.mean():.4f}" in text
    assert f"{datasets.load_model('mnist_mlp', 'sample').facts['test_metric']:.4f}" in text, "Keras's"
    assert "0.9777" in text, "the lecture's"


def interrupted(after: int):
    """Learner.epoch, which Ctrl-C stops in its n-th call."""
    original, calls = Learner.epoch, 0

    def epoch(self, *arguments):
        nonlocal calls
        calls += 1
        if calls == after:
            raise KeyboardInterrupt
        return original(self, *arguments)

    return epoch


def test_ctrl_c_still_draws_what_was_learned(tmp_path, monkeypatch):
    monkeypatch.setattr(Learner, "epoch", interrupted(after=25))  # twelve pieces per epoch
    console = told()
    assert not train.run(Wish("boston", epochs=100, sample=True, out=tmp_path), console)
    assert is_png(tmp_path / "boston.png")
    assert "these are the epochs that were finished" in said(console)
    assert "the solution's, stopped" in said(console)
    assert "final network" not in said(console)


def test_ctrl_c_before_the_first_epoch_is_over_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(Learner, "epoch", interrupted(after=1))
    console = told()
    assert not train.run(Wish("boston", sample=True, out=tmp_path), console)
    assert "nothing to show" in said(console)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_the_command_as_it_ends_every_other(tmp_path):
    code = "from experiments import learner; from grader.cli import main\n"
    code += "def epoch(*_): raise KeyboardInterrupt\nlearner.Learner.epoch = epoch\nmain()"
    done = run(sys.executable, "-c", code, "train", "boston", "--sample", "--out", "out", cwd=tmp_path)
    assert done.code == 130
    assert done.told == ["Stopped. What was finished is kept."]


def test_without_matplotlib_the_figures_still_come(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    console = told()
    assert train.run(Wish("boston", epochs=2, sample=True, out=tmp_path / "out"), console)
    assert "pip install 'deepkata[pictures]'" in said(console)
    assert "test mean absolute error" in said(console)
    assert not (tmp_path / "out").exists()


def refused(*arguments: object, **environment: object) -> str:
    """The one line with which a command refuses."""
    done = kata(*arguments, **environment)  # type: ignore[arg-type]
    assert done.code == 2, done
    assert len(done.told) == 1, done.err
    assert "Traceback" not in done.out + done.err
    return done.told[0]


def test_bad_names_and_folders_get_one_line(tmp_path):
    assert "mnist_mlp, mnist_convnet" in refused("train", "mnits", cwd=tmp_path)
    (tmp_path / "file").write_text("in the way")
    line = refused("train", "boston", "--sample", "--out", "file", cwd=tmp_path)
    assert "Nothing can be written into file" in line
    assert "--out" in line


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("grader.result.os.replace", full)
    with pytest.raises(Problem, match="No space left on device"):
        pictures.save(pictures.canvas(4, 3, "a picture")[0], tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


# --- the student's own network ----------------------------------------------------------------------------------------

PREPARE = """
def prepare(x_train, x_test):
    mean, std = x_train.mean(axis=0), x_train.std(axis=0)
    return ((x_train - mean) / std).astype(np.float32), ((x_test - mean) / std).astype(np.float32)
"""
PREDICT = """
def predict(x, params):
    w1, b1, w2, b2, w3, b3 = params
    return np.maximum(np.maximum(x @ w1 + b1, 0) @ w2 + b2, 0) @ w3 + b3
"""
EPOCH = """
def train_epoch(x, targets, params, slots, order, batch_size, lr, rho, eps):
    {body}
"""
LAZY = "return np.ones(-(-len(order) // batch_size), np.float32)"
MSE = """
def mse(y_true, y_pred):
    return float(np.mean((y_true - y_pred) ** 2))
"""
SMOOTH = """
def smooth_curve(points, factor):
    return points
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A kit of a student's own."""
    made = kit_copy(tmp_path_factory.mktemp("kit") / "kit")
    if not (made / "experiments").exists():
        shutil.copytree(kit.ROOT / "experiments", made / "experiments", ignore=shutil.ignore_patterns("__pycache__"))
    return made


def write_boston(root: Path, epoch: str, **others: str) -> None:
    """Have the student write what the project takes, in plain Python, which nothing compiles."""
    modules = {
        "projects.boston": written("projects.boston", prepare=PREPARE, predict=PREDICT, train_epoch=epoch, **others),
        "ch04_losses": written("ch04_losses", mse=MSE),
        "ch07_training": written("ch07_training", smooth_curve=SMOOTH),
    }
    hand_in(root / "exercises", modules)


def train_yours(root: Path, *options: str):
    return ("train", "boston", "--yours", "--sample", "--epochs", "2", "--out", str(root / "out"), *options)


def test_your_own_network_is_trained(root):
    write_boston(root, EPOCH.format(body=LAZY))
    done = kata(*train_yours(root), cwd=root, root=root)
    assert (done.code, done.err) == (0, ""), done
    assert "yours" in done.out
    assert is_png(root / "out" / "boston.png")


def test_a_stub_is_named_before_anything_runs(root):
    hand_in(root / "exercises")
    line = refused(*train_yours(root), cwd=root, root=root)
    assert line.startswith("mse is not written yet, nor are 4 more that it takes.")
    assert "exercises/ch04_losses.py" in line

    write_boston(root, EPOCH.format(body="return train_step(x[order], targets[order], params, slots, lr, rho, eps)"))
    line = refused(*train_yours(root), cwd=root, root=root)
    assert line == (
        "train_step is not written yet. Write it in exercises/projects/boston.py, then `kata check train_step`."
    )


def test_your_own_exception_comes_with_your_own_line(root):
    write_boston(root, EPOCH.format(body="return params[9]"))
    line = refused(*train_yours(root), cwd=root, root=root)
    assert line.startswith("train_epoch: IndexError at exercises/projects/boston.py, line ")
    assert "`return params[9]`: tuple index out of range" in line


def test_a_stub_that_only_shows_when_it_is_hit_is_named_too(root):
    write_boston(root, EPOCH.format(body='return globals()["fast_" + "epoch"](*[None] * 9)'))
    assert refused(*train_yours(root), cwd=root, root=root).startswith("fast_epoch is not written yet.")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return None", "train_epoch: it returned a NoneType; asked for are floats of shape (2,), the loss of each"),
        ("return np.ones((2, 2), np.float32)[:1]", "train_epoch: it returned float32 of shape (1, 2)"),
        ("return (", "Python cannot read the file"),
    ],
)
def test_what_cannot_be_trained_with_is_told(root, body, words):
    write_boston(root, EPOCH.format(body=body))
    assert words in refused(*train_yours(root), cwd=root, root=root)


def test_a_kit_without_solutions_still_trains_yours(root):
    write_boston(root, EPOCH.format(body=LAZY))
    (root / "solutions").rename(root / "elsewhere")
    try:
        assert "--yours" in refused("train", "boston", "--sample", cwd=root, root=root)
    finally:
        (root / "elsewhere").rename(root / "solutions")


# --- pictures ---------------------------------------------------------------------------------------------------------


def a_training(losses: list[float]) -> Training:
    return Training((), [Epoch(loss / 2, 1 - loss / 2, loss, 1 - loss) for loss in losses])


def test_the_curves_are_training_against_validation_with_the_lowest_epoch_marked():
    training = a_training([0.5, 0.3, 0.2, 0.4, 0.6])
    figure = curves.training_picture(training, "a title", "accuracy")
    assert figure.get_suptitle() == "a title"
    for field, name, label in zip(figure.axes, ("loss", "metric"), ("loss", "accuracy"), strict=True):
        assert (field.get_xlabel(), field.get_ylabel()) == ("epoch", label)
        lines = {str(line.get_label()): line for line in field.get_lines()}
        assert list(lines) == ["training", "validation", "lowest validation loss: epoch 3"]
        for line, curve in (("training", name), ("validation", f"val_{name}")):
            assert np.array_equal(lines[line].get_xdata(), [1, 2, 3, 4, 5])
            assert np.array_equal(lines[line].get_ydata(), training.curve(curve))
        assert lines["training"].get_linestyle() != lines["validation"].get_linestyle(), "readable in grey"
        assert set(lines["lowest validation loss: epoch 3"].get_xdata()) == {3}
        assert [text.get_text() for text in field.get_legend().get_texts()] == list(lines)


def test_a_training_that_blew_up_is_drawn_without_a_mark_and_told():
    training = a_training([float("nan")] * 3)
    figure = curves.training_picture(training, "a title", "accuracy")
    assert [str(line.get_label()) for line in figure.axes[0].get_lines()] == ["training", "validation"]
    assert "NaN" in " ".join(lesson("boston").reading(training))


def test_bostons_curve_is_smoothed_behind_its_first_tenth():
    losses = np.random.default_rng(1).uniform(1, 2, 40).astype(np.float32)
    losses[:4] = 500
    training, taught = a_training(list(losses)), lesson("boston")
    wanted = smooth_curve(losses[4:], 0.9)
    assert taught.best(training) == 4 + int(np.argmin(wanted)) + 1
    lines = {str(line.get_label()): line for line in taught.curves(training).axes[0].get_lines()}
    drawn = lines["validation, smoothed"].get_ydata()
    assert np.isnan(drawn[:4]).all()
    np.testing.assert_array_equal(drawn[4:], wanted)


def test_samples_come_from_all_over_and_then_the_worst():
    """Photos come class by class: the first ones would all be cats."""
    errors = np.zeros(101)
    errors[[3, 50, 99]] = 0.2, 0.9, 0.5
    assert predictions.examples(errors).tolist() == [0, 25, 50, 75, 100, 99, 3]
    rows, validation = projects.find("cats_vs_dogs").split(100)
    assert validation.min() < 50 <= validation.max()
    assert not set(rows) & set(validation)


def test_a_long_training_is_shown_in_steps_with_its_best_epoch():
    from experiments.display import ROWS, chosen

    assert chosen(3, 1, latest=False) == [1, 2, 3]
    shown = chosen(200, 57, latest=False)
    assert {1, 57, 200} <= set(shown)
    assert len(shown) <= ROWS + 1
    assert chosen(200, 57, latest=True) == list(range(200 - ROWS + 1, 201))


# --- predictions ------------------------------------------------------------------------------------------------------


def shown(name: str) -> tuple[str, Lesson, np.ndarray]:
    """What is shown of Keras's trained network on the sample's test data, and what it answers."""
    taught, console = lesson(name), told()
    params = datasets.load_model(name, "sample").params
    answers = taught.learner.predict(params, "test", np.arange(len(taught.data.y_test)))
    made = taught.project.show(taught.learner, answers)
    console.print(made.table)
    if made.draw is not None:
        assert len(made.draw().axes) == len(made.table.rows)
    return said(console), taught, answers


def test_digits_are_shown_with_their_probabilities():
    text, taught, answers = shown("mnist_mlp")
    labels = taught.data.y_test
    wrong = np.flatnonzero(answers.argmax(axis=1) != labels)
    surest = wrong[answers[wrong].max(axis=1).argmax()]
    for row in (0, len(labels) - 1, surest):
        line = next(line for line in text.splitlines() if line.startswith(f"│ {row} "))
        said, probability, *_, label = line.strip("│ ").split("│")[1:]
        assert int(said) == answers[row].argmax()
        assert probability.strip() == f"{answers[row].max():.3f}"
        assert int(label) == labels[row]


def test_reviews_are_shown_in_words():
    text, taught, answers = shown("imdb")
    words = datasets.load_words("imdb", sample=True)
    decoded = str(predictions.decoded(taught.data.x_test[0], words))
    assert decoded.split()[0] == words[taught.data.x_test[0][1]], "the mark before every text is left out"
    assert decoded.split()[0] in text
    assert f"{answers[0, 0]:.3f}" in text


def test_newswires_are_shown_with_their_topics():
    text, taught, answers = shown("reuters")
    topics = taught.data.classes
    assert topics[taught.data.y_test[0]] in text
    assert f"{topics[answers[0].argmax()]} {answers[0].max():.3f}" in text


def test_houses_are_shown_with_their_error():
    text, taught, answers = shown("boston")
    errors = answers.reshape(-1) - taught.data.y_test
    worst = np.abs(errors).argmax()
    assert f"{errors[0]:+.1f}" in text
    assert f"│ {worst} " in text
    assert f"{errors[worst]:+.1f}" in text


def test_the_commands_names_are_those_of_the_projects():
    for project in projects.PROJECTS:
        assert project.recipe.name == project.name
        assert (kit.SOLUTIONS / "projects" / f"{project.name}.py").exists()
        rows, validation = project.split(100)
        assert np.array_equal(np.sort(np.concatenate([rows, validation])), np.arange(100))

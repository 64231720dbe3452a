"""K-fold validation again and again, the rows dealt anew each time: how far can one K-fold be trusted?"""

from __future__ import annotations

import numpy as np

from experiments.display import figures
from experiments.experiment import Experiment, Outcome, Request
from experiments.folds import MAE, K, Study, mean_picture, settling

REPETITIONS = 5


def make(request: Request) -> Outcome:
    study = Study(request)
    rng = np.random.default_rng(request.seed)
    cuts = study.evaluation.iterated_kfold_indices(len(study.x), K, REPETITIONS, rng)
    curves, stopped = study.validate(cuts, rng, study.units, "networks")
    whole = len(curves) // K
    if not whole:
        return Outcome(stopped=stopped)
    rounds = curves[: whole * K].reshape(whole, K, -1).mean(axis=1)
    mean, best = rounds.mean(axis=0), study.network.best_epoch(rounds)
    smooth = study.smooth(mean)

    table = figures("repetition", f"lowest mean {MAE}", "after epoch", f"mean after epoch {best}")
    for number, curve in enumerate(rounds):
        low = int(curve.argmin())
        table.add_row(str(number + 1), f"{curve[low]:.2f}", str(low + 1), f"{curve[best - 1]:.2f}")
    table.add_row("mean", f"{mean[best - 1]:.2f}", str(best), f"{mean[best - 1]:.2f}", style="bold")

    at_best, lows = rounds[:, best - 1], rounds.argmin(axis=1) + 1
    sentences = [
        f"One {K}-fold says from {at_best.min():.2f} to {at_best.max():.2f}, and to stop after epoch {lows.min()} to "
        f"{lows.max()}, only by how the rows were dealt.",
        f"The mean over {whole} of them says {mean[best - 1]:.2f} after epoch {best}, and took {whole * K} trainings.",
        settling(smooth),
    ]
    title = f"{whole} times {K}-fold validation, shuffled anew each time ({study.title})"
    return Outcome([table], sentences, lambda: mean_picture(title, rounds, "one K-fold", mean, smooth, best), stopped)


experiment = Experiment("iterated_kfold", "Iterated K-fold validation: how far can one K-fold be trusted?", 200, make)

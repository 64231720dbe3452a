"""K-fold validation on 404 suburbs: how good is the network, and after how many epochs should it stop?"""

from __future__ import annotations

import numpy as np

from experiments.display import figures
from experiments.experiment import Experiment, Outcome, Request
from experiments.folds import MAE, K, Study, mean_picture, settling


def make(request: Request) -> Outcome:
    study = Study(request)
    cuts = study.evaluation.kfold_indices(len(study.x), K)
    curves, stopped = study.validate(cuts, np.random.default_rng(request.seed), study.units, "folds")
    if not len(curves):
        return Outcome(stopped=stopped)
    mean, best = curves.mean(axis=0), study.network.best_epoch(curves)
    smooth = study.smooth(mean)

    table = figures("fold", "rows validated", f"lowest {MAE}", "after epoch", f"after epoch {best}")
    for number, curve in enumerate(curves):
        low = int(curve.argmin())
        table.add_row(
            str(number + 1), str(len(cuts[number][1])), f"{curve[low]:.2f}", str(low + 1), f"{curve[best - 1]:.2f}"
        )
    table.add_row("mean", "", f"{mean[best - 1]:.2f}", str(best), f"{mean[best - 1]:.2f}", style="bold")

    at_best = curves[:, best - 1]
    sentences = [
        f"On average the MAE is lowest after epoch {best}: {mean[best - 1]:.2f}. After epoch {len(mean)} it is "
        f"{mean[-1]:.2f}.",
        settling(smooth),
        f"The folds say from {at_best.min():.2f} to {at_best.max():.2f}: one of them alone would be off by up to "
        f"{np.abs(at_best - at_best.mean()).max():.2f}.",
    ]
    if not stopped:
        sentences.append(study.final(best, study.units))
    title = f"{K}-fold validation of {study.recipe.network} ({study.title})"
    return Outcome([table], sentences, lambda: mean_picture(title, curves, "one fold", mean, smooth, best), stopped)


experiment = Experiment("kfold", "K-fold validation: how many epochs do house prices take?", 200, make)

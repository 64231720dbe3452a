"""Training that one can watch, and the lectures' experiments as commands: a table, a picture, and what they show.

`kata train` and `kata experiment` are the faces of it. Nothing here judges anybody. It stands on `datasets`, on the
engine's reading of a submission, and on the networks themselves, the solutions' or the student's own:

    source        where the functions come from, and what is said when one of a student's fails
    learner       a network with its data, as the loop sees it; images, texts, houses, small: the kinds there are
    training      the loop: epoch by epoch, training against validation, until the end or Ctrl-C
    display       the loop on a terminal: a progress bar, and a table that grows
    curves, pictures   what came of it, drawn
    predictions   what the network answers, shown
    projects, catalogue   what can be trained, and which experiments there are
    train, experiment     the two commands
"""

"""nbgrader: courses made of the exercises, autograding by our judge, scores into its gradebook."""

"""The engine, the exercise catalogue and the faces of deepkata."""

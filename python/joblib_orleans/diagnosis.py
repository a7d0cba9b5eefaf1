"""Finds what of a value cannot be pickled."""

import functools
import types
from typing import Any, Callable, Iterator, Optional, Set, Tuple

from . import calls

_DEPTH = 12
_PIECES = 2000


def offender(value: Any, name: str, can: Callable[[Any], bool]) -> Optional[str]:
    """The path to the smallest part of ``value`` for which ``can`` is false, such as "argument 'x' → attribute 'lock' → _thread.lock"; None when all can."""
    if _can(value, can):
        return None
    path = [name]
    seen: Set[int] = set()
    budget = _PIECES
    for _ in range(_DEPTH):
        seen.add(id(value))
        for part_name, part in _parts(value):
            budget -= 1
            if budget < 0:
                break
            if id(part) not in seen and not _can(part, can):
                path.append(part_name)
                value = part
                break
        else:
            break
        if budget < 0:
            break
    kind = type(value)
    path.append(kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}")
    return " → ".join(path)


def offending_call(items: Any, first: int, can: Callable[[Any], bool]) -> Optional[str]:
    """Which part of which of the calls; None when each can by itself."""
    for index, item in enumerate(items):
        try:
            function, arguments, keywords = item
        except (TypeError, ValueError):
            continue
        said = f"call {first + index}, {calls.name_of(function)}: "
        found = offender(function, f"function '{calls.name_of(function)}'", can)
        for number, argument in enumerate(arguments):
            found = found or offender(argument, f"argument {_parameter(function, number)}", can)
        for name, argument in keywords.items():
            found = found or offender(argument, f"argument '{name}'", can)
        if found:
            return said + found
    return None


def _parameter(function: Any, number: int) -> str:
    try:
        import inspect

        names = [name for name, parameter in inspect.signature(function).parameters.items() if parameter.kind in (0, 1)]
        return f"'{names[number]}'"
    except Exception:
        return str(number)


def _can(value: Any, can: Callable[[Any], bool]) -> bool:
    try:
        return can(value)
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        return False


def _parts(value: Any) -> Iterator[Tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in list(value.items()):
            yield f"key {calls._short(key)}", key
            yield f"item {calls._short(key)}", part
    elif isinstance(value, (list, tuple, set, frozenset)):
        for index, part in enumerate(value):
            yield f"item {index}", part
    elif isinstance(value, functools.partial):
        yield "function of the partial", value.func
        for index, part in enumerate(value.args):
            yield f"argument {index} of the partial", part
        for name, part in value.keywords.items():
            yield f"argument '{name}' of the partial", part
    elif isinstance(value, types.MethodType):
        yield "self", value.__self__
    elif isinstance(value, types.FunctionType):
        for name, cell in zip(value.__code__.co_freevars, value.__closure__ or ()):
            try:
                yield f"captured '{name}'", cell.cell_contents
            except ValueError:
                pass
        for name in value.__code__.co_names:
            if name in value.__globals__:
                yield f"global '{name}'", value.__globals__[name]
        for index, part in enumerate(value.__defaults__ or ()):
            yield f"default {index}", part
    else:
        state = getattr(value, "__dict__", None)
        if isinstance(state, dict):
            for name, part in list(state.items()):
                yield f"attribute '{name}'", part
        for kind in type(value).__mro__:
            slots = kind.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if hasattr(value, name):
                    yield f"attribute '{name}'", getattr(value, name)

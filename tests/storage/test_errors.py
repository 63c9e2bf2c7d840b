import inspect

import pytest

from storage import errors
from storage.errors import StorageError

FAMILY = [e for e in vars(errors).values() if inspect.isclass(e) and issubclass(e, StorageError)]


@pytest.mark.parametrize("error", FAMILY)
def test_a_docstring_is_the_default_message(error: type[StorageError]) -> None:
    assert str(error()) == inspect.getdoc(error)
    assert str(error("other")) == "other"


@pytest.mark.parametrize("error", FAMILY)
def test_the_tree_names_every_error(error: type[StorageError]) -> None:
    assert error.__name__ in (errors.__doc__ or "")

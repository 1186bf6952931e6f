"""The part of ConfigObj that Ockle uses (the library ships no types)."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any

class ConfigObjError(SyntaxError):
    line_number: int | None
    line: str
    errors: list[ConfigObjError]

class Section(MutableMapping[str, Any]):
    name: str | None
    scalars: list[str]
    sections: list[str]
    comments: dict[str, list[str]]
    inline_comments: dict[str, str]
    def __getitem__(self, key: str) -> Any: ...
    def __setitem__(self, key: str, value: Any, unrepr: bool = ...) -> None: ...
    def __delitem__(self, key: str) -> None: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def dict(self) -> dict[str, Any]: ...
    def rename(self, oldkey: str, newkey: str) -> None: ...

class ConfigObj(Section):
    filename: str | None
    newlines: str | None
    initial_comment: list[str]
    final_comment: list[str]
    def __init__(
        self,
        infile: Iterable[str] | Mapping[str, Any] | None = ...,
        *,
        interpolation: bool = ...,
        list_values: bool = ...,
        raise_errors: bool = ...,
        file_error: bool = ...,
        create_empty: bool = ...,
        encoding: str | None = ...,
        default_encoding: str | None = ...,
        indent_type: str | None = ...,
        write_empty_values: bool = ...,
        _inspec: bool = ...,
    ) -> None: ...
    def write(self, outfile: None = ..., section: Section | None = ...) -> list[str]: ...

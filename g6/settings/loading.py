"""Loading: every layer is read and checked, all problems are told at once, then the settings are built."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from g6.errors import ConfigError
from g6.settings import schema
from g6.settings.build import build, located
from g6.settings.checks import problems_of
from g6.settings.contradictions import cautions, contradictions
from g6.settings.document import Document, assigned, read_file
from g6.settings.environment import CONFIG_VARIABLE, ignored_in, read_environment
from g6.settings.layers import Layer, combined, default_layer, layer_of, provider_layer, without_empty_sections
from g6.settings.sections import Settings
from g6.settings.shipped import shipped
from g6.settings.texts import value_of

DEFAULT_FILE = Path("config") / "g6.yaml"


@dataclass(frozen=True, slots=True)
class Argument:
    """A key's value as it was written on the command line, and the flag that said so."""

    text: str
    origin: str = "--set"


def load(
    arguments: Mapping[str, Argument | str],
    environ: Mapping[str, str],
    cwd: Path,
    config_file: str | Path | None = None,
) -> Settings:
    """Return the settings in force; raise `ConfigError` with one line per problem.

    `arguments` maps dotted keys to texts and is the strongest layer; then come the variables of `environ`,
    the file, the defaults of the first provider, and the defaults. The file is `config_file`, else what
    G6_CONFIG names, else config/g6.yaml in `cwd`, else the one shipped with G6, which sets nothing.
    """
    path = _file(config_file or environ.get(CONFIG_VARIABLE), cwd)
    file = read_configuration(path, cwd)
    variables, problems = read_environment(environ)
    flags = [_flag(dotted, argument) for dotted, argument in arguments.items()]
    problems = [*problems_of(file), *problems, *(p for document in (*variables, *flags) for p in problems_of(document))]
    if problems:
        raise ConfigError("\n".join(problems))
    given = [layer_of(document) for document in (file, *variables, *flags)]
    effective = combined([default_layer(), _provider(given), *given])
    if problems := contradictions(effective):
        raise ConfigError("\n".join(problems))
    return build(effective, cwd, path, (*_warnings(environ), *cautions(effective)))


def read_configuration(path: Path, cwd: Path) -> Document:
    """Return a configuration file as a document that is named from `cwd`, unchecked by the schema."""
    name = str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)
    return without_empty_sections(read_file(path, name))


def _file(named: str | Path | None, cwd: Path) -> Path:
    if named:
        return located(named, cwd)
    here = cwd / DEFAULT_FILE
    try:
        return here if here.exists() else shipped("g6.yaml")
    except PermissionError:
        return here  # whether it exists may not even be asked; reading it says so to the person


def _flag(dotted: str, argument: Argument | str) -> Document:
    given = argument if isinstance(argument, Argument) else Argument(argument)
    return Document(given.origin, assigned(dotted, value_of(given.text, schema.find(dotted))))


def _provider(given: list[Layer]) -> Layer:
    order = combined([default_layer(), *given])["providers.order"].value
    return provider_layer(order[0])


def _warnings(environ: Mapping[str, str]) -> tuple[str, ...]:
    ignored = ignored_in(environ)
    return (f"{', '.join(ignored)}: of older systems, without effect here",) if ignored else ()

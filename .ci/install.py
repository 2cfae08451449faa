"""Create an environment with what a file of requirements pins, and this project: `python .ci/install.py FOLDER FILE`.

uv installs in a third of the CPU time that pip takes, but does not read pip's settings (`PIP_INDEX_URL`, `pip.conf`).
They are translated for it. Where one has no translation, or uv fails, pip installs. With `--tools OTHER`, both tools
are those of another environment, and this one starts without pip.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

_TRANSLATED: Final = {
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "index-url": "UV_DEFAULT_INDEX",
    "proxy": "ALL_PROXY",
    "trusted-host": "UV_INSECURE_HOST",
}
_WITHOUT_EFFECT: Final = frozenset(
    "break-system-packages cache-dir config-file default-timeout disable-pip-version-check no-cache-dir no-color "
    "no-compile no-input no-python-version-warning no-warn-script-location prefer-binary progress-bar quiet "
    "require-virtualenv retries root-user-action timeout verbose".split()
)
"""Settings of pip that do not change which files are installed, or from where."""
_SECTIONS: Final = ("global", "install", ":env:")
_SETTING: Final = re.compile(r"(?P<section>[^.]+)\.(?P<name>[^=]+)=(?P<value>.+)")
_SEVERAL: Final = {"UV_FIND_LINKS": ","}
"""What separates values, where it is not a space."""


def translate(listed: Iterable[str], requirements: str) -> dict[str, str] | None:
    """Variables of the environment by which uv does what `pip config list` says; None where there are none.

    Args:
        listed: The lines of `pip config list`.
        requirements: What is to be installed. uv takes no constraints beside hashes; those on other packages are void.
    """
    # All candidates of all indexes count, as for pip; their hashes are pinned.
    variables = {"UV_INDEX_STRATEGY": "unsafe-best-match"}
    for line in listed:
        found = _SETTING.fullmatch(line.strip())
        if found is None:
            return None
        if found["section"] not in _SECTIONS or found["name"].lstrip(".") in _WITHOUT_EFFECT:
            continue
        variable = _TRANSLATED.get(found["name"].lstrip("."))
        values = str(ast.literal_eval(found["value"])).split()
        if found["name"].lstrip(".") == "constraint" and not any(_constrains(file, requirements) for file in values):
            continue
        if variable is None:
            return None
        variables[variable] = _SEVERAL.get(variable, " ").join(values)
    return variables


def _constrains(file: str, requirements: str) -> bool:
    """Whether a file may say something of a package that is required; of one that cannot be read, nobody knows."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return True
    words = [line.split("#")[0].strip() for line in lines]
    names = [re.match(r"(?:[A-Za-z0-9][\w.-]*)?", word)[0] for word in words if word]  # type: ignore[index]  it matches nothing, too
    return any(not name or pinned(requirements, re.sub(r"[-_.]+", "-", name).lower()) for name in names)


def pinned(requirements: str, name: str) -> str:
    """The lines that pin one package, with its hashes; empty if none do."""
    found = re.search(rf"^{re.escape(name)}==(?:.*\\\n)*.*\n?", requirements, re.MULTILINE)
    return found[0] if found else ""


def _install_uv(pip: list[str], requirements: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        only = Path(folder, "uv.txt")
        only.write_text(pinned(requirements.read_text(encoding="utf-8"), "uv"), encoding="utf-8")
        _run([*pip, "install", "--quiet", "--no-compile", "--no-deps", "--require-hashes", "--requirement", str(only)])


def _install_all(installer: list[str], requirements: Path, environ: Mapping[str, str]) -> None:
    _run([*installer, "--quiet", "--require-hashes", "--requirement", str(requirements)], environ)
    _run([*installer, "--quiet", "--no-deps", "--no-build-isolation", "--editable", "."], environ)


def _run(command: list[str], environ: Mapping[str, str] | None = None) -> None:
    subprocess.run(command, check=True, env=environ)  # noqa: S603  our own


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("requirements", type=Path)
    parser.add_argument("--tools", type=Path)
    arguments = parser.parse_args()
    python = str(arguments.folder / "bin" / "python")
    tools = (arguments.tools or arguments.folder) / "bin"
    _run([sys.executable, "-m", "venv", *(["--without-pip"] if arguments.tools else []), str(arguments.folder)])
    pip = [str(tools / "python"), "-m", "pip", *(["--python", python] if arguments.tools else [])]
    listed = subprocess.run([*pip, "config", "list"], check=True, capture_output=True, text=True)  # noqa: S603  our own
    variables = translate(listed.stdout.splitlines(), arguments.requirements.read_text(encoding="utf-8"))
    if variables is None:
        sys.stderr.write("pip installs, since it has settings that uv does not know\n")
    else:
        try:
            if not arguments.tools:
                _install_uv(pip, arguments.requirements)
            uv = [str(tools / "uv"), "pip", "install", "--python", python]
            _install_all(uv, arguments.requirements, {**variables, **os.environ})
        except (OSError, subprocess.CalledProcessError) as exc:
            sys.stderr.write(f"uv did not install {arguments.requirements}, so pip does: {exc}\n")
        else:
            return
    _install_all([*pip, "install", "--no-compile"], arguments.requirements, os.environ)


if __name__ == "__main__":
    _main()

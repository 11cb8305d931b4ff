"""What ships with the package is complete and what the README says of it is true."""

import re
import shutil
import subprocess
import tomllib

import pytest

from g6.model.chain import LEG_COLUMNS
from g6.storage.csv_layout import LEG_HEADER


def test_every_package_is_installed(project):
    packaging = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {".".join(p.parent.relative_to(project).parts) for p in (project / "g6").rglob("__init__.py")}
    assert set(packaging["packages"]) == found | {"g6_config", "g6_runbooks"}


def test_every_column_of_the_leg_files_is_explained(project):
    pages = (project / "README.md", project / "g6" / "storage" / "DICTIONARY.md")
    sides = {name.removeprefix("ce_") for name in LEG_HEADER.decode().split(",") if name.startswith("ce_")}
    assert sides <= {column.name for column in LEG_COLUMNS}
    documented = {name for page in pages for name in re.findall(r"^\| `(\w+)`", page.read_text(), re.MULTILINE)}
    assert sides <= documented
    own = {name for name in LEG_HEADER.decode().split(",") if not name.startswith(("ce_", "pe_"))}
    assert own <= documented


def test_every_dependency_is_argued_in_the_readme(project):
    readme = (project / "README.md").read_text()
    declared = tomllib.loads((project / "pyproject.toml").read_text())["project"]["dependencies"]
    for requirement in declared:
        name = re.match(r"[A-Za-z0-9-]+", requirement).group()
        assert f"**{name}**" in readme, name


def test_the_lock_files_hold_every_dependency_with_hashes(project):
    declared = tomllib.loads((project / "pyproject.toml").read_text())["project"]["dependencies"]
    for lock in ("requirements.lock", "requirements-dev.lock"):
        text = (project / lock).read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
        for requirement in declared:
            name = re.match(r"[A-Za-z0-9-]+", requirement).group()
            assert re.search(rf"^{name}==", text, re.MULTILINE), (lock, name)


def test_prometheus_takes_the_shipped_scrape_configuration(project):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    checked = subprocess.run(
        [promtool, "check", "config", str(project / "prometheus" / "prometheus.yml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr

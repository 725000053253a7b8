"""Puts the folders that lie beside the package into the wheel. An editable install gets no copies, which would go stale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = ("templates", "config", "seeds")


class DataFolders(BuildHookInterface):
    """templates/, config/ and seeds/ become digest/_data/… in a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":
            present = (folder for folder in FOLDERS if (Path(self.root) / folder).is_dir())
            build_data["force_include"].update({folder: f"digest/_data/{folder}" for folder in present})

"""Projects and the folders above them, without HTTP. Who has a role on them is the organisation's policy (google_auth)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rehearsal.emulators import saving
from rehearsal.emulators.google.access import project_number
from rehearsal.emulators.google.errors import GoogleError

ACTIVE, DELETED = "ACTIVE", "DELETE_REQUESTED"


@dataclass(kw_only=True)
class Project:
    """A project. `parent`: "folders/N" or "organizations/N"; empty for one that belongs to nobody's organisation."""

    project: str
    parent: str = ""
    state: str = ACTIVE

    def view(self) -> dict[str, Any]:
        """The API's Project."""
        body = {
            "name": f"projects/{project_number(self.project)}",
            "projectId": self.project,
            "displayName": self.project[:30],
            "state": self.state,
        }
        return {**body, "parent": self.parent} if self.parent else body


@dataclass(kw_only=True)
class Folder:
    """A folder of projects; `name` and `parent` as in `Project.parent`."""

    name: str
    parent: str

    def view(self) -> dict[str, Any]:
        """The API's Folder."""
        return {"name": self.name, "parent": self.parent, "displayName": self.name, "state": ACTIVE}


class Hierarchy:
    """Every project and folder."""

    def __init__(self) -> None:
        self.projects: dict[str, Project] = {}
        self.folders: dict[str, Folder] = {}

    def add(self, project: str, parent: str = "") -> Project:
        """A project; one of that name is replaced."""
        self.projects[project] = Project(project=project, parent=parent)
        return self.projects[project]

    def add_folder(self, name: str, parent: str) -> Folder:
        """A folder; one of that name is replaced."""
        self.folders[name] = Folder(name=name, parent=parent)
        return self.folders[name]

    def id_of(self, id_or_number: str) -> str:
        """The id of a project; what is not known here stays as it is, for the code that decides about access."""
        known = (each for each in self.projects if project_number(each) == id_or_number)
        return next(known, id_or_number)

    def project(self, project: str) -> Project:
        """Raises GoogleError PERMISSION_DENIED, as the service does for one it does not know."""
        if project not in self.projects:
            raise GoogleError("PERMISSION_DENIED", f"The caller does not have permission on projects/{project}")
        return self.projects[project]

    def folder(self, name: str) -> Folder:
        """Raises GoogleError PERMISSION_DENIED."""
        if name not in self.folders:
            raise GoogleError("PERMISSION_DENIED", f"The caller does not have permission on {name}")
        return self.folders[name]

    def clear(self) -> None:
        self.projects.clear()
        self.folders.clear()

    def save(self) -> dict[str, Any]:
        """JSON of everything."""
        return {
            "projects": [saving.to_json(each) for each in self.projects.values()],
            "folders": [saving.to_json(each) for each in self.folders.values()],
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Replace everything by a saved state."""
        projects = [saving.from_json(Project, each) for each in saved["projects"]]
        folders = [saving.from_json(Folder, each) for each in saved["folders"]]
        self.projects = {each.project: each for each in projects}
        self.folders = {each.name: each for each in folders}

"""What is shown of the community and of projects: each kind of answer lists its keys."""

import json
from datetime import datetime
from typing import Any, NamedTuple

from accountsapp.apis.pybossa.presenters import age, full_name, public_info, show_time, text_or_none
from accountsapp.domain.activity.community import MemberRow, RankedMember
from accountsapp.domain.activity.feed import AccountMade, Contributed, FeedItem, ProjectMade
from accountsapp.domain.activity.projects import ProjectRow
from accountsapp.settings import Settings
from accountsapp.web.answers import JsonText, encode_text


class MemberColumns(NamedTuple):
    """What lists show of an account."""

    name: str | None
    locale: str | None
    info_text: str
    picture: str | None

    @property
    def info(self) -> dict[str, Any]:
        """Empty for most, for whom no JSON is read."""
        return json.loads(self.info_text) if self.info_text != "{}" else {}


def list_entries(settings: Settings, members: list[MemberRow], moment: datetime) -> JsonText:
    """The accounts of a page of the community, written at once: as dicts they would cost twice as much."""
    return JsonText(f"[{', '.join([_list_entry(settings, member, moment) for member in members])}]")


def _list_entry(settings: Settings, member: MemberRow, moment: datetime) -> str:
    created, profile = member.created, member.profile
    info = public_info(settings, member.id, profile)
    return (
        f'{{"created": "{show_time(created)}", '
        f'"fullname": {encode_text(full_name(member))}, '
        f'"info": {{"avatar": {_text(info["avatar"])}, "avatar_url": {_text(info["avatar_url"])}, '
        f'"container": {_text(info["container"])}}}, '
        f'"locale": {_text(profile.locale)}, '
        f'"name": {encode_text(member.username)}, '
        f'"rank": null, "registered_ago": "{age(created, moment)}", '
        f'"score": null, "task_runs": {member.score}}}'
    )


def _text(value: str | None) -> str:
    return encode_text(value) if value is not None else "null"


def top_entry(settings: Settings, ranked: RankedMember) -> dict[str, Any]:
    """An account of the list of the best."""
    return {
        **_entry(settings, ranked.member),
        "rank": ranked.rank,
        "registered_ago": None,
        "score": ranked.member.score,
        "task_runs": None,
    }


def _entry(settings: Settings, member: MemberRow) -> dict[str, Any]:
    return {"created": show_time(member.created), **_person(settings, member)}


def _person(settings: Settings, member: MemberRow) -> dict[str, Any]:
    return {
        "fullname": full_name(member),
        "info": public_info(settings, member.id, member.profile),
        "locale": member.profile.locale,
        "name": member.username,
    }


def public_project(project: ProjectRow) -> dict[str, Any]:
    """What everybody sees of a project."""
    info: dict[str, str | None] = {
        name: text_or_none(project.info.get(name)) for name in ("container", "thumbnail")
    }
    thumbnail_url = text_or_none(project.info.get("thumbnail_url"))
    if thumbnail_url is not None:
        info["thumbnail_url"] = thumbnail_url
    return {**_project(project), "info": info}


def owned_project(project: ProjectRow) -> dict[str, Any]:
    """What its owner sees of a project."""
    return {**_project(project), "info": project.info, "id": project.id, "owner_id": project.owner_id}


def _project(project: ProjectRow) -> dict[str, Any]:
    return {
        "description": project.description,
        "n_tasks": project.n_tasks,
        "n_volunteers": project.n_volunteers,
        "name": project.name,
        "overall_progress": project.overall_progress,
        "short_name": project.short_name,
    }


def feed_item(settings: Settings, item: FeedItem) -> dict[str, Any]:
    """Something that happened in the community."""
    match item:
        case AccountMade():
            kind, shown = "User", _entry(settings, item.member)
        case ProjectMade():
            kind, shown = "Project", public_project(item.project)
        case Contributed():
            kind = "UserContribution"
            project = {
                "project_name": item.project_name,
                "project_short_name": item.project_short_name,
            }
            shown = {**_person(settings, item.member), **project}
    return {"action_updated": kind, "updated": item.moment.timestamp(), **shown}

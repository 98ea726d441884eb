"""What members say of themselves at ``/docs/sixth``."""

from accountsapp.documents.document import Answer, Document, Operation, Parameter, Refusals, Shown, shown
from tests.support.sixth_api import views
from tests.support.sixth_api.schemas import MemberChange


class MaxLength(Shown):
    max_length: int


class Member(Shown):
    username: str
    full_name: str


class Error(Shown):
    error: str


class Problems(Shown):
    errors: dict[str, list[str]]


ALICE = {"username": "alice", "full_name": "Alice Liddell"}

DOCUMENT = Document(
    title="Members",
    description="Everybody may read members; they and administrators change them.",
    operations={
        views.show_max_length: Operation(
            "Settings", "How long a name may be", shown(MaxLength, {"max_length": 300})
        ),
        views.read_member: Operation("Members", "Read a member", shown(Member, ALICE), open_to_all=True),
        views.change_member: Operation(
            "Members",
            "Change a member",
            shown(Member, {**ALICE, "full_name": "Alice"}),
            refusals={422: Answer("Values are refused: by field.", Problems)},
            body=MemberChange,
            example={"full_name": "Alice"},
        ),
    },
    refusals=Refusals(
        everywhere={400: Answer("The request cannot be read.", Error), 503: Answer("Busy.", Error)},
        of_credentials={
            401: Answer("No credential, or a bad one.", Error),
            403: Answer("Not enough.", Error),
        },
        of_bodies={413: Answer("The body is too large.", Error), 415: Answer("It is no JSON.", Error)},
        of_names={404: Answer("There is no such member.", Error)},
    ),
    names={"username": Parameter("The name of a member", "alice")},
)

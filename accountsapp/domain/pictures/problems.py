"""What is wrong with an upload that is no picture for us."""

from enum import StrEnum

from accountsapp.domain.errors import InvalidValue


class Problem(StrEnum):
    """Each API words these in its own way."""

    KIND = "kind"
    """Empty, no picture, or of a format that the API does not take."""
    FEW_BYTES = "few bytes"
    MANY_BYTES = "many bytes"
    MANY_PIXELS = "many pixels"
    ANIMATED = "animated"
    DAMAGED = "damaged"
    """Cut off, malformed, or made to be costly."""
    BOX = "box"
    """What is to be cut out is not a part of the picture."""


TEXTS = {
    Problem.KIND: "That is not a picture of a kind that is taken here.",
    Problem.FEW_BYTES: "The picture is too small.",
    Problem.MANY_BYTES: "The file of the picture is too large.",
    Problem.MANY_PIXELS: "The picture has too many pixels.",
    Problem.ANIMATED: "The picture is animated.",
    Problem.DAMAGED: "The picture is damaged.",
    Problem.BOX: "That is not a part of the picture.",
}


class InvalidPicture(InvalidValue):
    """An upload cannot be the picture of an account.

    :ivar problem: why
    :ivar fields: ``picture``, or the coordinates of the box that are wrong
    """

    def __init__(self, problem: Problem, *fields: str) -> None:
        self.problem = problem
        self.fields = fields or ("picture",)
        super().__init__(self.fields[0], TEXTS[problem])

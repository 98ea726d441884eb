"""``accountsapp.sixth.…``."""

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    max_length: int = Field(300, ge=1, alias="accountsapp.sixth.max_length")

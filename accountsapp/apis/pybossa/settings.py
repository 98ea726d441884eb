"""The settings of the account pages."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from accountsapp import setting_values
from accountsapp.domain.rules.web_urls import is_web_url


def _site(value: str) -> str:
    return setting_values.site_url(value) if value else value


def _web_url(value: str) -> str:
    if value and not is_web_url(value):
        raise ValueError("must be an absolute http or https URL")
    return value


WebUrl = Annotated[str, AfterValidator(_web_url)]


class Settings(BaseModel):
    """See ``docs/pybossa.rst`` for their meaning."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    frontend_url: Annotated[str, AfterValidator(_site)] = Field("", alias="accountsapp.frontend_url")
    hide_unknown: bool = Field(False, alias="accountsapp.hide_unknown")
    facebook: WebUrl = Field("", alias="accountsapp.social.facebook")
    google: WebUrl = Field("", alias="accountsapp.social.google")
    twitter: WebUrl = Field("", alias="accountsapp.social.twitter")

    @property
    def social(self) -> dict[str, str]:
        """By provider, where signing in with it starts; empty where it is not offered."""
        return {"facebook": self.facebook, "google": self.google, "twitter": self.twitter}

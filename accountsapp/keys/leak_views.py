"""Reports of keys that were found somewhere: whoever signs them learns which are keys, and those are dead."""

from hashlib import sha256

from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from accountsapp.domain.credentials import key_reports
from accountsapp.keys.leak_reports import Finding, read_report
from accountsapp.keys.resources import Leaks
from accountsapp.web.request import Request


@view_config(context=Leaks, request_method="POST", permission=NO_PERMISSION_REQUIRED)
def report(context: Leaks, request: Request) -> list[dict[str, str]]:
    """End the keys that were found; tell for each whether it was one."""
    findings = read_report(request, context.reporters)
    ours = key_reports.report_each(request.store, [(finding.token, finding.url) for finding in findings])
    return [present(finding, is_ours=is_ours) for finding, is_ours in zip(findings, ours, strict=True)]


def present(finding: Finding, *, is_ours: bool) -> dict[str, str]:
    """What the reporter is told of one finding; never the token."""
    return {
        "token_hash": sha256(finding.token.encode("utf-8", "surrogatepass")).hexdigest(),
        "token_type": finding.type,
        "label": "true_positive" if is_ours else "false_positive",
    }

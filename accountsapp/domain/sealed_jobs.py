"""A secret value in the payload of a job: sealed at rest, and sealed anew after a new secret."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from accountsapp.domain.data.models import Job, JobState
from accountsapp.domain.keyring import Keyring, SealError

Payload = dict[str, Any]
Begin = Callable[[], AbstractContextManager[Session]]

JOBS_AT_ONCE = 500


def seal(keyring: Keyring, key: str, owner: str, value: str) -> Payload:
    """The part of a payload that has a value sealed.

    :param key: of the payload
    :param owner: see :meth:`Keyring.seal`
    """
    return {"secret_id": keyring.secret_id, key: keyring.seal(owner, value)}


def reseal(begin: Begin, keyring: Keyring, name: str, key: str, owner_of: Callable[[Payload], str]) -> int:
    """Seal anew, with the present secret, what an older one sealed in the jobs of that name.

    Also in one that was given up: the operator may have it tried again. What no given secret opens stays as
    it is; its job fails and says so.

    :param begin: ``store.begin``: some hundred are done in one transaction
    :param owner_of: for whom the value of a payload is sealed
    :returns: how many
    """
    statement = select(Job).where(Job.name == name, Job.state != JobState.DONE)
    statement = statement.order_by(Job.id).limit(JOBS_AT_ONCE).with_for_update()
    resealed = last = 0
    while True:
        with begin() as session:
            jobs = session.scalars(statement.where(Job.id > last)).all()
            resealed += sum(_reseal(job, keyring, key, owner_of(job.payload)) for job in jobs)
            if not jobs:
                return resealed
            last = jobs[-1].id


def _reseal(job: Job, keyring: Keyring, key: str, owner: str) -> bool:
    """Returns whether the job was sealed by an older secret that is known."""
    if job.payload["secret_id"] == keyring.secret_id:
        return False
    try:
        value = keyring.unseal(owner, job.payload[key])
    except SealError:
        return False
    job.payload = {**job.payload, **seal(keyring, key, owner, value)}
    return True

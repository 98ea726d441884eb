"""A secret value in the payload of a job: sealed at rest, and sealed anew after a new secret."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from accountsapp.domain.data.models import Job, JobState
from accountsapp.domain.keyring import Keyring, SealError

Payload = dict[str, Any]


def seal(keyring: Keyring, key: str, owner: str, value: str) -> Payload:
    """The part of a payload that has a value sealed.

    :param key: of the payload
    :param owner: see :meth:`Keyring.seal`
    """
    return {"secret_id": keyring.secret_id, key: keyring.seal(owner, value)}


def reseal(
    session: Session, keyring: Keyring, name: str, key: str, owner_of: Callable[[Payload], str]
) -> int:
    """Seal anew, with the present secret, what an older one sealed in the jobs of that name.

    Also in one that was given up: the operator may have it tried again. What no given secret opens stays as
    it is; its job fails and says so.

    :param owner_of: for whom the value of a payload is sealed
    :returns: how many
    """
    statement = select(Job).where(Job.name == name, Job.state != JobState.DONE)
    resealed = 0
    for job in session.scalars(statement.with_for_update()):
        if job.payload["secret_id"] != keyring.secret_id:
            owner = owner_of(job.payload)
            try:
                value = keyring.unseal(owner, job.payload[key])
            except SealError:
                continue
            job.payload = {**job.payload, **seal(keyring, key, owner, value)}
            resealed += 1
    return resealed

"""Who is publishing a release: of any number who try at once, one.

GitHub has no lock, but creating a ref succeeds for exactly one of all who try. So the lock of v1.2.0 is the highest ref below
refs/shipmate/release/v1.2.0/: 1, 2, 3, … Each points to a note that says who took it and after whom. The process that finds the highest one
abandoned creates the next; nobody ever overwrites one. It is dropped when the release is out.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from release.publishing.forge import Forge, Lock
from release.refusals import OpenElsewhere

_TRIES = 10


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who holds a lock: a workflow run, or a process on a machine."""

    nonce: str
    after: str
    """Nonce of the lock this one was taken over from; empty when there was none."""
    at: float
    """Seconds since 1970."""
    run: str
    attempt: str
    machine: str
    process: str
    """Process id and start time, as the machine tells them; empty where it does not."""

    def as_mapping(self) -> dict[str, str]:
        return {name: str(value) for name, value in vars(self).items()}

    @classmethod
    def of(cls, owner: Mapping[str, str]) -> Holder:
        return cls(
            nonce=owner.get("nonce", ""),
            after=owner.get("after", ""),
            at=float(owner.get("at") or 0),
            run=owner.get("run", ""),
            attempt=owner.get("attempt", ""),
            machine=owner.get("machine", ""),
            process=owner.get("process", ""),
        )

    def __str__(self) -> str:
        who = f"run {self.run}, attempt {self.attempt}" if self.run else f"process {self.process.partition('@')[0]}"
        return f"{who} on {self.machine.partition(' ')[0] or 'an unknown machine'}"


def myself(environ: Mapping[str, str] = os.environ, now: Callable[[], float] = time.time) -> Holder:
    """This process, in this run if it is in one."""
    pid = os.getpid()
    return Holder(
        nonce=secrets.token_hex(8),
        after="",
        at=now(),
        run=environ.get("GITHUB_RUN_ID", ""),
        attempt=environ.get("GITHUB_RUN_ATTEMPT", ""),
        machine=_machine(),
        process=f"{pid}@{_started(pid)}" if _started(pid) else "",
    )


@dataclass(kw_only=True)
class Lease:
    """The lock of one release, held."""

    forge: Forge
    tag: str
    generation: int
    holder: Holder
    took_over: Holder | None
    """Who held it before and is gone."""

    def check(self) -> None:
        """Raises OpenElsewhere when someone took it over, believing this process gone."""
        for lock in self.forge.locks(self.tag):
            if Holder.of(lock.owner).after == self.holder.nonce:
                raise open_elsewhere(
                    self.tag, Holder.of(lock.owner), "it took over because this process was silent for too long"
                )

    def drop(self) -> None:
        """Give it back: first those taken over, then one's own."""
        for lock in self.forge.locks(self.tag):
            if lock.generation < self.generation:
                self.forge.drop_lock(self.tag, lock.generation)
        self.forge.drop_lock(self.tag, self.generation)


def acquire(
    forge: Forge,
    tag: str,
    commit: str,
    me: Holder,
    *,
    minutes: float,
    take_over: bool = False,
    now: Callable[[], float] = time.time,
) -> Lease:
    """Take the lock. `minutes`: how long one that cannot be asked about is respected. Raises OpenElsewhere."""
    for _ in range(_TRIES):
        locks = forge.locks(tag)
        last = Holder.of(locks[-1].owner) if locks else None
        if last is not None and not take_over and (why := in_force(forge, last, me, minutes=minutes, now=now)):
            raise open_elsewhere(tag, last, why)
        mine = Holder(**{**vars(me), "after": last.nonce if last else ""})
        generation = locks[-1].generation + 1 if locks else 1
        if forge.take_lock(tag, generation, commit, mine.as_mapping()):
            if _alone(forge.locks(tag), generation, mine):
                return Lease(forge=forge, tag=tag, generation=generation, holder=mine, took_over=last)
            forge.drop_lock(tag, generation)
    raise OpenElsewhere(
        f"the lock of {tag} could not be had in {_TRIES} tries", where=tag, next_step="run this again in a minute"
    )


def in_force(forge: Forge, held: Holder, me: Holder, *, minutes: float, now: Callable[[], float] = time.time) -> str:
    """Why a lock is to be respected; empty when its holder is gone."""
    if held.machine == me.machine and held.process and me.process:
        return "it is running on this machine" if _alive(held.process) else ""
    if held.run and held.run == me.run and held.attempt != me.attempt:
        return ""
    if held.run and held.run != me.run:
        over = forge.run_is_over(held.run)
        if over is not None:
            return "" if over else "that run has not ended"
    age = now() - held.at
    return "" if age > minutes * 60 else f"it began {max(0, age):.0f} s ago, and cannot be asked whether it goes on"


def _alone(locks: list[Lock], generation: int, mine: Holder) -> bool:
    """Whether the lock below is still the one that was found abandoned: another may have come and gone meanwhile."""
    below = [lock for lock in locks if lock.generation < generation]
    return not below or Holder.of(below[-1].owner).nonce == mine.after


def open_elsewhere(tag: str, holder: Holder, why: str) -> OpenElsewhere:
    return OpenElsewhere(
        f"{tag} is being published by {holder}",
        where=tag,
        why=why,
        next_step="wait for it: one release comes of both. If it is gone for good: shipmate release publish --take-over",
    )


def _machine() -> str:
    """Name, boot and process namespace: a process id means something only within all three."""
    parts = [socket.gethostname()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    except OSError:
        parts.append(secrets.token_hex(8))
    return " ".join(parts)


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty when there is none (proc(5), field 22 of stat)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in ("Z", "X") else fields[19]


def _alive(process: str) -> bool:
    pid, _, started = process.partition("@")
    return pid.isdigit() and _started(int(pid)) == started

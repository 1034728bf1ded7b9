# Copyright (c) 2026 hybrid.exchange contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# FOR INTERNAL USE OF THIS COLLECTION ONLY: it may change without notice.

"""How much may be under way at once at a service that tells its limit only by refusing: pure arithmetic.

What Exchange Online allows is not published, and differs by tenant and hour. So it is found out: begin small, double
while all is well, and fall back to what the service had when it refused; from then on ask for one more after a while,
ever less often where that is refused. Where the service says how much it would take besides
(``Rate-Limit-Remaining``), nobody asks for more.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

CONCURRENCY = 32
"""The most requests at once, where nobody says otherwise."""

START = 4
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 300.0


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request that is under way: what it weighs, and how things were when it was sent."""

    parts: int
    weight: int
    before: int
    answered: int
    cuts: int


class Pace:
    """Counts cmdlets under way. A request with fewer than ``size`` cmdlets weighs as much as a full one, until the
    service is seen to refuse single cmdlets of a request: then it counts cmdlets, and so does this.

    ``most``: requests at once that are never exceeded. Times are seconds of one monotonic clock.
    """

    def __init__(self, most: int, size: int) -> None:
        self._size = size
        self._most = most * size
        self.window = min(START, most) * size
        self.under_way = 0
        self._by_cmdlet = False
        self._answered = 0
        self._cuts = 0
        self._fits = 0
        # What the service said of its limit: the median counts, as requests arrive in another order than sent.
        self._limits: deque[int] = deque(maxlen=9)
        # Up to here the window grows with every answer; beyond, by one step after a pause.
        self._safe = self._most
        self._asking = False
        self._pause = FIRST_PAUSE
        self._next = 0.0

    @property
    def _step(self) -> int:
        return max(1, self.window // 10) if self._by_cmdlet else self._size

    def room(self) -> int:
        """How many cmdlets the next request may hold; 0: none may be sent now."""
        left = self.window - self.under_way
        if self._by_cmdlet:
            return max(0, min(left, self._size))
        return self._size if left >= self._size or self.under_way == 0 else 0

    def sent(self, parts: int) -> Ticket:
        """A request with so many cmdlets goes out."""
        weight = parts if self._by_cmdlet else self._size
        ticket = Ticket(parts, weight, self.under_way, self._answered, self._cuts)
        self.under_way += weight
        return ticket

    def dropped(self, ticket: Ticket) -> None:
        """A request ended without a word about the limit: it was lost, or failed."""
        self.under_way -= ticket.weight

    def held_back(self, ticket: Ticket) -> None:
        """A request was not sent after all, because the service wants to be left alone."""
        self.under_way -= ticket.weight
        if ticket.cuts < self._cuts:  # the service never had it, but it was counted when another one was refused
            self._fits -= ticket.weight
            self._cut_to(self._fits)

    def answered(self, ticket: Ticket, now: float, remaining: int | None = None) -> None:
        """A request was carried out whole. ``remaining``: how many requests the service would have taken besides."""
        if remaining is not None:
            self._limits.append(ticket.before + ticket.weight + remaining * self._size)
        if remaining == 0:  # it is full, so nobody asks for more for a while
            self._next = max(self._next, now + self._pause)
        full = self.under_way + (1 if self._by_cmdlet else self._size) > self.window
        self.dropped(ticket)
        self._answered += ticket.weight
        if not full:
            return  # there is room for more, so this says nothing about a larger window
        if self.window < self._safe:
            wanted = min(self._safe, self.window + ticket.weight)
        elif now >= self._next:
            wanted = self.window + self._step
        else:
            return
        wanted = min(wanted, self._most)
        if self._limits:
            wanted = min(wanted, sorted(self._limits)[(len(self._limits) - 1) // 2])
        if wanted <= self.window:
            return
        if self.window >= self._safe:
            if self._asking:
                self._pause = max(FIRST_PAUSE, self._pause / 2)  # the last step was taken well
            self._asking, self._next = True, now + self._pause
        self.window = wanted

    def refused(self, ticket: Ticket, now: float, parts: int | None = None) -> None:
        """The service refused a request, or so many ``parts`` of it, because too much was under way."""
        self.dropped(ticket)
        if parts is not None:
            self._by_cmdlet = True
        accepted = 0 if parts is None else ticket.parts - parts
        # What was under way beside it, and was answered since: all that the service can have had when it refused.
        self._fits = self.under_way + accepted + self._answered - ticket.answered
        self._answered += accepted
        if ticket.cuts == self._cuts:  # the first refusal since the window was changed
            self._cuts += 1
            self._fits = min(self._fits, self.window - self._step)
            self._safe = self.window // 2
            if self._asking:
                self._pause = min(LONGEST_PAUSE, self._pause * 2)
            self._asking, self._next = False, now + self._pause
        self._cut_to(self._fits)

    def _cut_to(self, fits: int) -> None:
        least = 1 if self._by_cmdlet else self._size
        self.window = max(least, min(self.window, fits // least * least))
        self._safe = max(self._safe, self.window)

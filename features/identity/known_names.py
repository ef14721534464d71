"""What logins and clicks told of visitors: the names they are known by, who is shared, who agreed to stitching."""

from __future__ import annotations

from collections.abc import Iterable

from features.identity.link_rules import PASSING


def is_passing(identity: str) -> bool:
    """Whether an identity names a browser or a visit, not a person.

    Examples
    --------
    >>> is_passing("cookie:7f"), is_passing("crm:4711"), is_passing("4711")
    (True, False, False)
    """
    return ":" in identity and identity.partition(":")[0] in PASSING


class KnownNames:
    """Grows with every link and every word of consent, in the order of their time."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}
        self._names: dict[str, set[str]] = {}
        self._visitors: dict[str, set[str]] = {}
        self._word: dict[str, bool] = {}
        self._joined: set[tuple[str, str]] = set()
        self.shared: set[str] = set()
        """Visitors known by two names of one source: several persons use them."""

    def link(self, a: str, b: str) -> list[str]:
        """Take in a link that was not stitched; return the visitors of whom something new is known."""
        if is_passing(a) and is_passing(b):
            self._joined.add((min(a, b), max(a, b)))
            return []
        if is_passing(a) or is_passing(b):
            visitor, name = (a, b) if is_passing(a) else (b, a)
            self._names.setdefault(visitor, set()).add(name)
            self._visitors.setdefault(self._root(name), set()).add(visitor)
            return self._look_again([visitor])
        left, right = self._root(a), self._root(b)
        if left == right:
            return []
        low, high = sorted((left, right))
        self._parent[high] = low
        met = self._visitors.pop(high, set())
        self._visitors.setdefault(low, set()).update(met)
        if high in self._word:
            self._word[low] = self._word.get(low, True) and self._word.pop(high)
        return self._look_again(self._visitors[low])

    def agree(self, identity: str, stands: bool) -> list[str]:
        """Take in a word of consent; return the visitors whom it holds for.

        What a person says under a name holds for all visitors known by it, and what a visitor takes back, for
        the others too. Nobody speaks for others on a device that several use.
        """
        roots = {self._root(name) for name in self._names.get(identity, ())} if is_passing(identity) else {identity}
        self._word[identity] = stands
        if identity in self.shared or (stands and is_passing(identity)):
            return [identity]
        touched = {identity} if is_passing(identity) else set()
        for root in {self._root(name) for name in roots}:
            self._word[root] = stands
            touched.update(self._visitors.get(root, ()))
        for visitor in touched - self.shared:
            self._word[visitor] = stands
        return sorted(touched)

    def agrees(self, visitor: str) -> bool:
        """Whether consent to stitching stands; without a word it does not."""
        return self._word.get(visitor, False)

    def are_joined(self, a: str, b: str) -> bool:
        """Whether two visitors are one by links already."""
        return (min(a, b), max(a, b)) in self._joined

    def differ(self, left: Iterable[str], right: Iterable[str]) -> bool:
        """Whether two groups of visitors are known by different names of one source: they are two persons."""
        mine, others = self._by_source(left), self._by_source(right)
        return any(source in others and not (names & others[source]) for source, names in mine.items())

    def _by_source(self, visitors: Iterable[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for visitor in visitors:
            for name in self._names.get(visitor, ()):
                found.setdefault(name.partition(":")[0], set()).add(self._root(name))
        return found

    def _look_again(self, visitors: Iterable[str]) -> list[str]:
        found = sorted(visitors)
        for visitor in found:
            if any(len(names) > 1 for names in self._by_source([visitor]).values()):
                self.shared.add(visitor)
            else:
                self.shared.discard(visitor)
                words = [self._word[r] for r in map(self._root, self._names.get(visitor, ())) if r in self._word]
                if words:
                    self._word[visitor] = all(words)
        return found

    def _root(self, name: str) -> str:
        path = [name]
        while path[-1] in self._parent:
            path.append(self._parent[path[-1]])
        for each in path[:-1]:
            self._parent[each] = path[-1]
        return path[-1]

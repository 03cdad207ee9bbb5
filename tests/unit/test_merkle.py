"""The tree of RFC 9162, by the vectors of Certificate Transparency's reference implementation and by the definition."""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.domain import merkle
from inventory.domain.merkle import Frontier, consistency_proof, inclusion_proof, is_consistent, is_included, leaf_hash

LEAVES = [bytes.fromhex(each) for each in ("", "00", "10", "2021", "3031", "40414243",
          "5051525354555657", "606162636465666768696a6b6c6d6e6f")]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 1): [],
    (0, 8): ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
             "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"],
    (5, 8): ["bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
             "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
             "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): ["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
             "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"],
}  # fmt: skip
CONSISTENCY = {
    (1, 1): [],
    (1, 8): ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
             "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"],
    (6, 8): ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
             "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
             "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
    (2, 5): ["5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"],
}  # fmt: skip
"""The vectors of the reference implementation; the index of a leaf counts from 0."""


def definition(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + definition(leaves[:k]) + definition(leaves[k:])).digest()


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 9162, 2.1.3.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*path(m, leaves[:k]), definition(leaves[k:])]
    return [*path(m - k, leaves[k:]), definition(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 9162, 2.1.4.1, word for word."""
    if m == len(leaves):
        return [] if whole else [definition(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], whole), definition(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), definition(leaves[:k])]


def tree_of(leaves: Sequence[bytes]) -> merkle.Subtree:
    return lambda level, index: merkle.full_root(
        [leaf_hash(each) for each in leaves[index << level : (index + 1) << level]]
    )


def hexed(hashes: Sequence[bytes]) -> list[str]:
    return [each.hex() for each in hashes]


def test_the_root_of_nothing() -> None:
    assert merkle.root(0, tree_of([])).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Frontier().root() == merkle.EMPTY


@pytest.mark.parametrize("size", range(1, 9))
def test_the_published_roots(size: int) -> None:
    frontier = Frontier()
    for each in LEAVES[:size]:
        frontier.add(0, leaf_hash(each))
    assert merkle.root(size, tree_of(LEAVES)).hex() == frontier.root().hex() == ROOTS[size - 1]


@pytest.mark.parametrize("asked", INCLUSION, ids=str)
def test_the_published_inclusion_proofs(asked: tuple[int, int]) -> None:
    proof = inclusion_proof(*asked, tree_of(LEAVES))
    assert hexed(proof) == INCLUSION[asked]
    assert is_included(*asked, leaf_hash(LEAVES[asked[0]]), proof, bytes.fromhex(ROOTS[asked[1] - 1]))


@pytest.mark.parametrize("asked", CONSISTENCY, ids=str)
def test_the_published_consistency_proofs(asked: tuple[int, int]) -> None:
    proof = consistency_proof(*asked, tree_of(LEAVES))
    assert hexed(proof) == CONSISTENCY[asked]
    old, new = (bytes.fromhex(ROOTS[size - 1]) for size in asked)
    assert is_consistent(*asked, old, new, proof)


SIZES = st.integers(1, 24)


@settings(max_examples=60)
@given(SIZES, st.data())
def test_proofs_are_those_of_the_definition_and_nothing_else_is_proved(size: int, data: st.DataObject) -> None:
    leaves = [bytes([each]) for each in range(size)]
    tree, subtree = definition(leaves), tree_of(leaves)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    proof, consistency = inclusion_proof(index, size, subtree), consistency_proof(old, size, subtree)
    assert merkle.root(size, subtree) == tree
    assert proof == path(index, leaves)
    assert consistency == (subproof(old, leaves) if old < size else [])
    assert is_included(index, size, leaf_hash(leaves[index]), proof, tree)
    assert is_consistent(old, size, definition(leaves[:old]), tree, consistency)
    assert not is_included(index, size, leaf_hash(b"other"), proof, tree)
    assert not is_included(size, size, leaf_hash(leaves[index]), proof, tree)
    assert not is_included(index, size, leaf_hash(leaves[index]), [*proof, tree], tree)
    assert not is_consistent(old, size, leaf_hash(b"other"), tree, consistency)
    assert not is_consistent(old, size, definition(leaves[:old]), leaf_hash(b"other"), consistency)
    assert not is_consistent(old, size, definition(leaves[:old]), tree, [*consistency, tree])
    assert not is_consistent(size + 1, size, tree, tree, [])
    for at in range(len(proof)):
        assert not is_included(index, size, leaf_hash(leaves[index]), proof[:at] + proof[at + 1 :], tree)
    for at in range(len(consistency)):
        shorter = consistency[:at] + consistency[at + 1 :]
        assert not is_consistent(old, size, definition(leaves[:old]), tree, shorter)


@given(SIZES, st.data())
def test_a_cover_proves_all_that_is_in_it(size: int, data: st.DataObject) -> None:
    leaves = [bytes([each]) for each in range(size)]
    wanted = sorted(data.draw(st.sets(st.integers(0, size - 1))))
    frontier, subtree, met = Frontier(), tree_of(leaves), []
    for part in merkle.cover(wanted, size):
        if isinstance(part, int):
            assert part == frontier.size
            met.append(part)
            frontier.add(0, leaf_hash(leaves[part]))
        else:
            frontier.add(part[0], subtree(*part))
    assert met == wanted
    assert (frontier.size, frontier.root()) == (size, definition(leaves))


def test_a_subtree_stands_only_where_one_of_its_level_can() -> None:
    frontier = Frontier()
    frontier.add(0, leaf_hash(b""))
    with pytest.raises(ValueError, match="level 1 cannot begin at leaf 1"):
        frontier.add(1, leaf_hash(b""))


def test_the_empty_root_in_base64_is_that_of_empty_checkpoints() -> None:
    assert b64encode(merkle.EMPTY) == b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

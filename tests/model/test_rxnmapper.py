"""A real encoder with a known right answer: one head of RXNMapper says which atom of a product came from where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from networks.rxnmapper import HEAD, LAYER, find_atoms

from builder.figure import RunSpec

if TYPE_CHECKING:
    import torch

    from builder.model import Encoder

RING = ({7, 11}, {8, 10}, {9}, {8, 10}, {7, 11})  # of benzylamine, from one neighbour of its substituent to the other

REACTIONS: dict[str, tuple[set[int], ...]] = {
    # acetyl chloride and benzylamine: chlorine leaves
    "CC(=O)Cl.NCc1ccccc1>>CC(=O)NCc1ccccc1": ({0}, {1}, {2}, {4}, {5}, {6}, *RING),
    # acetic acid and benzylamine: the hydroxyl, atom 3, leaves
    "CC(=O)O.NCc1ccccc1>>CC(=O)NCc1ccccc1": ({0}, {1}, {2}, {4}, {5}, {6}, *RING),
    # Williamson: phenol keeps its oxygen, bromoethane comes second and stands first in the product
    "Oc1ccccc1.CCBr>>CCOc1ccccc1": ({7}, {8}, {0}, {1}, {2, 6}, {3, 5}, {4}, {3, 5}, {2, 6}),
    # methylation of 4-chlorophenol
    "CI.Oc1ccc(Cl)cc1>>COc1ccc(Cl)cc1": ({0}, {2}, {3}, {4, 9}, {5, 8}, {6}, {7}, {5, 8}, {4, 9}),
    # Suzuki: bromobenzene, written from its other end, and pyridine-4-boronic acid
    "Brc1ccccc1.OB(O)c1ccncc1>>c1ccc(-c2ccncc2)cc1": (
        {4}, {3, 5}, {2, 6}, {1}, {10}, {11, 15}, {12, 14}, {13}, {12, 14}, {11, 15}, {2, 6}, {3, 5},
    ),
    # a carbamate is taken off an amine
    "CC(C)(C)OC(=O)NCCBr>>NCCBr": ({7}, {8}, {9}, {10}),
}  # fmt: skip
"""Reactions in SMILES, and for each atom of the product the one it was, or those that no reaction could tell apart.

Atoms are counted in the order of the SMILES, from 0, those that react and those of the product each for themselves.
"""


def right(weights: torch.Tensor, tokens: list[dict[str, object]], reaction: str, *, both: bool = False) -> list[bool]:
    """Return for each atom of the product whether the atom that it attends to most is the right one.

    `both`: the mean of the attention there and back. This is the mapping of Schwaller et al. 2021
    (https://doi.org/10.1126/sciadv.abe4166) without what it adds for atoms that are hard to tell apart: a bonus for
    neighbours, and that no atom is taken twice.
    """
    reactants, product = find_atoms(tokens)
    expected = REACTIONS[reaction]
    assert len(product) == len(expected)
    found = weights[product][:, reactants]
    if both:
        found = (found + weights[reactants][:, product].T) / 2
    return [atom in known for atom, known in zip(found.argmax(-1).tolist(), expected, strict=True)]


@pytest.mark.weights
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("reaction", REACTIONS)
def test_the_published_head_maps_every_atom(rxnmapper: Encoder, reaction: str, both: bool) -> None:
    """Layer 10 head 5: each atom of the product looks at the atom that it was, there and there and back."""
    run = rxnmapper.run(RunSpec(model="rxnmapper", prompt=reaction))
    assert all(right(run.attention.weights("self", LAYER)[HEAD], run.tokens, reaction, both=both))


@pytest.mark.weights
def test_no_other_head_of_that_layer_does(rxnmapper: Encoder) -> None:
    """So heads are not mixed up, and atoms are not mapped by looking at their like."""
    runs = {reaction: rxnmapper.run(RunSpec(model="rxnmapper", prompt=reaction)) for reaction in REACTIONS}
    for head in set(range(8)) - {HEAD}:
        marks = [
            mark
            for reaction, run in runs.items()
            for mark in right(run.attention.weights("self", LAYER)[head], run.tokens, reaction)
        ]
        assert sum(marks) / len(marks) < 0.5

"""`LanguageModel`: what decoders, encoders and models that are both have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import torch
import transformers

from ..errors import BuildError
from .network import load_network, load_tokenizer
from .placement import home, placement, processor
from .products import choose_products
from .tokens import Pieces

if TYPE_CHECKING:
    from ..sources.checkpoint import Checkpoint
    from .network import Family

__all__ = ["LanguageModel"]


class LanguageModel:
    """A network with frozen weights, in eval mode, with attention that can be looked at (eager), and its tokenizer."""

    family: Family

    def __init__(self, checkpoint: Checkpoint, network: Any, tokenizer: Any, *, unused: tuple[str, ...] = ()) -> None:
        self.checkpoint = checkpoint
        self.name = checkpoint.source.name
        self.network = network
        self.tokenizer = tokenizer
        self.pieces = Pieces(tokenizer)
        self.unused = unused
        self.end_tokens: tuple[int, ...] = ()
        self.products = choose_products(self.device, network.dtype)

    @classmethod
    def load(cls, checkpoint: Checkpoint, *, device: str = "cpu") -> Self:
        """Load a checkpoint's own class with its own weights; the network is not asked, nothing is drawn at random.

        Raises `BuildError` for an architecture that is none of the family, for weights that are missing, of another
        shape or cannot be read, and for a tokenizer that cannot be loaded.
        """
        network, unused = load_network(checkpoint, device, cls.family)
        return cls(checkpoint, network, load_tokenizer(checkpoint), unused=unused)

    @property
    def device(self) -> torch.device:
        """Where tokens go, and what is computed of them comes from; the weights may lie in other places too."""
        return home(self.network)

    def check_text(self, text: str) -> None:
        """Raise `BuildError` for a text that the tokenizer makes no tokens of."""
        if not self.tokenizer(text, add_special_tokens=False)["input_ids"]:
            why = "its tokenizer makes no tokens of it"
            raise BuildError(f"missing prompt: model {self.name} has nothing to read: {why}")

    def token_text(self, token: int) -> str:
        """Return the text of one token of the vocabulary by itself."""
        return self.pieces.text(token)

    @property
    def blocks(self) -> tuple[torch.nn.Module, ...]:
        """The layers that weights are shared out by: the longest lists of modules."""
        lists = [tuple(m.children()) for m in self.network.modules() if isinstance(m, torch.nn.ModuleList)]
        longest = max(map(len, lists), default=0)
        return tuple(block for blocks in lists if len(blocks) == longest for block in blocks)

    def provenance(self) -> dict[str, Any]:
        """Return what a reader needs to repeat this: model, revision, class, versions, dtype, device, products."""
        places = placement(self.network, self.blocks)
        name = processor(self.device)
        return {
            "model": self.checkpoint.origin,
            "revision": self.checkpoint.revision,
            "license": self.checkpoint.license,
            "class": type(self.network).__name__,
            "dtype": str(self.network.dtype).removeprefix("torch."),
            "device": self.device.type,
            **({"processor": name} if name else {}),
            **({"placement": places} if places else {}),
            "attention": "eager",
            **({"products": self.products._asdict()} if self.products else {}),
            "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
            **({"unused_weights": list(self.unused[:8])} if self.unused else {}),
        }

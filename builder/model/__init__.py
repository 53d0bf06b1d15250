"""`Model`: a causal language model, and all that an analysis may ask of it. `load_model` loads encoders too."""

from __future__ import annotations

import weakref
from dataclasses import asdict, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..errors import BuildError
from ..spoken import counted
from .backward import Backward, Plan, make_plan
from .chain import Steps, find_chain
from .chat import write_chat
from .encoder import Encoder, EncoderRun
from .encoder_decoder import EncoderDecoder, EncoderDecoderRun
from .few_rows import by_all_threads
from .language_model import LanguageModel
from .network import context_length, decoding, end_tokens, find_family
from .precision import float_logits, is_short
from .run import Run
from .structure import Structure, find_structure
from .tail import agrees, own_head, own_tail
from .trace import recording

if TYPE_CHECKING:
    from ..figure import RunSpec
    from ..sources.checkpoint import Checkpoint

__all__ = ["AnyModel", "AnyRun", "Encoder", "EncoderDecoder", "LanguageModel", "Model", "Run", "load_model"]


def load_model(checkpoint: Checkpoint, *, device: str = "cpu") -> AnyModel:
    """Load a checkpoint as what it is: a decoder, an encoder, or both. Raises `BuildError` as `Model.load` does."""
    family = find_family(checkpoint)
    if family == "encoder":
        return Encoder.load(checkpoint, device=device)
    return (EncoderDecoder if family == "encoder-decoder" else Model).load(checkpoint, device=device)


class Model(LanguageModel):
    """A causal language model with frozen weights, in eval mode, with attention that can be looked at (eager).

        model = Model.load(fetch(source, root))
        run = model.run(RunSpec(model="smollm2", prompt="1, 1, 1,", generate=8))
        run.block_outputs      # [n_layers, T, d_model]
        model.unembed(run.block_outputs[12])       # the logit lens after block 12

    `structure` names the modules; they are found by running the network once, so there is no list of models.
    """

    family = "decoder"

    def __init__(self, checkpoint: Checkpoint, network: Any, tokenizer: Any, *, unused: tuple[str, ...] = ()) -> None:
        super().__init__(checkpoint, network, tokenizer, unused=unused)
        self.end_tokens = end_tokens(network)
        network.generation_config = decoding(self.end_tokens)  # `generate` would fill gaps from the checkpoint's
        self.structure: Structure = find_structure(network, checkpoint.source)
        if not self.structure.causal:
            raise BuildError(
                f"unsupported model: {self.name} ({type(network).__name__}) is no causal language model: "
                "what it says at a position depends on later tokens"
            )
        self.n_layers = len(self.structure.blocks)
        self.d_model = self.structure.d_model
        self.has_attention = self.structure.attention
        self.vocab_size = int(network.get_input_embeddings().weight.shape[0])
        self.context = context_length(network)
        # runs live as long as somebody uses them: their tensors are large
        self._runs: weakref.WeakValueDictionary[tuple[Any, ...], Run] = weakref.WeakValueDictionary()
        self._find_short_cuts()

    def run(self, spec: RunSpec) -> Run:
        """Tokenise the prompt and continue it; a run that is still in use is handed out again.

        Raises `BuildError` for a prompt without tokens and for one that, with what is to be generated, is longer
        than the model's context.
        """
        key = tuple(value for name, value in asdict(spec).items() if name != "model")
        run = self._runs.get(key)
        if run is None:
            run = self._runs[key] = self._run(spec)
        return run

    def reread(self, run: Run) -> Run:
        """Return another model's run as this one reads it: the same tokens where both know them, else the same text."""
        ids = run.ids.tolist()
        spec = replace(run.spec, output=run.output_text or None, generate=0)
        prompt, added = self.encode(self.prompt_text(spec))
        known = max(ids) < self.vocab_size and all(self.pieces[i] == run.model.pieces[i] for i in set(ids))
        if known and added + prompt == ids[: run.n_input]:
            return Run(self, spec, run.ids.to(self.device), n_input=run.n_input)
        return self.run(spec)

    def _run(self, spec: RunSpec) -> Run:
        if spec.pair is not None:
            raise BuildError(f"unsupported prompt: a pair of texts; model {self.name} is no encoder, it reads one text")
        text = self.prompt_text(spec)
        prompt, added = self.encode(text)
        if not prompt:
            why = "the prompt is empty" if not spec.prompt else "its tokenizer makes no tokens of it; is it whole?"
            raise BuildError(f"missing prompt: model {self.name} has nothing to read: {why}")
        start = added + prompt
        continuation = self.encode_output(text, prompt, spec.output) if spec.output is not None else []
        wanted = len(start) + (spec.generate if spec.output is None else len(continuation))
        if self.context is not None and wanted > self.context:
            what = f"generate {spec.generate}" if spec.output is None else f"an output of {len(continuation)}"
            culprit = "prompt" if len(start) > self.context else "generate" if spec.output is None else "output"
            raise BuildError(
                f"invalid {culprit}: {counted(len(start), 'token')} and {what} are {wanted} tokens, "
                f"but the context of model {self.name} is {self.context}"
            )
        ids = torch.tensor([start + continuation], device=self.device)
        if spec.output is None and spec.generate:
            ids = self._generate(ids, spec)
        return Run(self, spec, ids[0], n_input=len(start))

    def prompt_text(self, spec: RunSpec) -> str:
        """Return what the model reads: the prompt, or with `chat` the chat template with the prompt as a user's words.

        Raises `BuildError` where the tokenizer has no such template.
        """
        if not spec.chat:
            return spec.prompt
        if not getattr(self.tokenizer, "chat_template", None):
            raise BuildError(f"unsupported chat: the tokenizer of model {self.name} has no chat template")
        return write_chat(self.tokenizer, spec.prompt)

    def encode(self, text: str) -> tuple[list[int], list[int]]:
        """Return a text's own tokens, and those the tokenizer puts before them (a BOS), never twice.

        What a tokenizer puts *after* a text (an EOS, a SEP) would end it, and is left out.
        """
        plain = list(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        full = list(self.tokenizer(text)["input_ids"])
        starts = (i for i in range(len(full) - len(plain) + 1) if full[i : i + len(plain)] == plain)
        added = full[: next(starts, 0)] if plain else []
        if added and plain[: len(added)] == added:  # the author wrote the BOS out
            added = []
        return plain, added

    def encode_output(self, prompt: str, prompt_ids: list[int], output: str) -> list[int]:
        """Return the tokens that continue a prompt to `prompt + output`; the prompt's own tokens stay as they are."""
        whole = list(self.tokenizer(prompt + output, add_special_tokens=False)["input_ids"])
        if whole[: len(prompt_ids)] == prompt_ids:
            return whole[len(prompt_ids) :]
        alone = list(self.tokenizer(output, add_special_tokens=False)["input_ids"])
        mark = list(self.tokenizer("\n", add_special_tokens=False)["input_ids"])
        marked = list(self.tokenizer("\n" + output, add_special_tokens=False)["input_ids"])
        after = marked[len(mark) :] if marked[: len(mark)] == mark else alone
        return min(alone, after, key=lambda ids: b"".join(self.pieces[i] for i in ids) != output.encode())

    def _generate(self, ids: Tensor, spec: RunSpec) -> Tensor:
        """Continue by transformers' own `generate` with a configuration that holds only what the spec says."""
        names = ("do_sample", "temperature", "top_k", "top_p") if spec.do_sample else ()
        chosen = {name: getattr(spec, name) for name in names}
        config = decoding(self.end_tokens, max_new_tokens=spec.generate, **({"do_sample": False} | chosen))
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), torch.no_grad(), by_all_threads(self.network):
            torch.manual_seed(spec.seed)
            try:
                done: Tensor = self.network.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)
            except RuntimeError as error:
                if "probability tensor" not in str(error):  # how torch says that there is nothing to sample from
                    raise
                raise BuildError(f"invalid numbers: model {self.name} gives no probabilities to sample from") from error
        return done

    def unembed(self, hidden: Tensor) -> Tensor:
        """Block outputs [..., d_model] → logits [..., vocab] by the model's own norm, head, soft cap and scale.

        Differentiable. For the last block this is exactly the model's output.
        """
        if self.plain_tail:
            norm = self.structure.norm
            return self.head_logits(norm(hidden) if norm is not None else hidden)
        return own_tail(self.network, self.structure, hidden)

    def head_logits(self, final: Tensor) -> Tensor:
        """Final hidden states [..., d] as `forward_embeddings` returns them → logits [..., vocab]; differentiable.

        In float32 where the weights are in a shorter format: what the network itself returns has no more than that.
        """
        head: Any = self.structure.head
        if self.head_is_linear and is_short(head):
            return float_logits(head, final).to(self.device)
        if self.head_is_linear:
            return head(final).to(self.device)  # type: ignore[no-any-return]
        return own_head(self.network, self.structure, final)

    def embed(self, ids: Tensor) -> Tensor:
        """Token ids [...] → input embeddings [..., d], as `forward_embeddings` takes them (scaling included)."""
        return self.structure.embedding(ids).to(self.device)  # type: ignore[no-any-return]

    def forward_ids(self, ids: Tensor) -> Tensor:
        """Token ids [B, T] → final hidden states [B, T, d], after the final norm."""
        return self._base(input_ids=ids)

    def forward_embeddings(self, embeddings: Tensor) -> Tensor:
        """Input embeddings [B, T, d] → final hidden states [B, T, d], after the final norm; differentiable.

        Raises `BuildError` for an architecture whose blocks read the token ids too.
        """
        if not self._reads_embeddings:
            raise BuildError(f"unsupported model: {self.name} cannot be run from its input embeddings alone")
        return self._base(inputs_embeds=embeddings.clone())  # CTRL writes over what it is given

    @cached_property
    def chained(self) -> bool:
        """Whether `chain` gives the network's own numbers, and its gradients: `find_chain` tries it once."""
        ids = torch.tensor([[3, 5, 7, 11, 2, 9], [8, 1, 4, 4, 2, 6]], device=self.device) % self.vocab_size
        return self._reads_embeddings and find_chain(self.structure, self.embed(ids))

    @cached_property
    def known_parts(self) -> Plan:
        """What `Backward` knows of the ways back of modules in the blocks; only for a model that is `chained`."""
        # first ids are often those of tokens that no text has, of which a network makes what nobody can repeat
        ids = torch.tensor([[3, 5, 7, 11, 2, 9], [8, 1, 4, 4, 2, 6]], device=self.device) * 997 % self.vocab_size
        return make_plan(self, self.embed(ids))

    def chain(self, embeddings: Tensor) -> Steps:
        """Input embeddings [A, L, d] → the forward pass over texts of this shape, block by block; see `chain.py`.

        Only for a model that is `chained`.
        """
        return Steps(self.structure, embeddings)

    def backward(self, embeddings: Tensor, targets: int = 1) -> Backward:
        """Input embeddings [A, L, d] → the way back from what the head reads, for so many targets; see `backward`.

        Only for a model that is `chained`.
        """
        return Backward(self, embeddings, targets)

    def provenance(self) -> dict[str, Any]:
        """Return what a reader needs to repeat this: model, revision, class, versions, dtype, device, structure."""
        return {
            **super().provenance(),
            "structure": dict(self.structure.names),
            "added_tokens": [self.token_text(token) for token in self.encode("A 1")[1]],
            "stop_tokens": [self.token_text(token) for token in self.end_tokens],
        }

    def _base(self, **inputs: Any) -> Tensor:
        """Run the network without its head."""
        states: Tensor = self.structure.base(use_cache=False, **inputs).last_hidden_state
        return states.to(self.device)  # of a divided network they are where its last layers are

    def _find_short_cuts(self) -> None:
        """Find out which short cuts give the very same numbers as the network's own forward.

        Raises `BuildError` where the last block's output does not lead to the logits: then nothing here can be read.
        """
        ids = torch.tensor([[3, 5, 7, 11]], device=self.device) % self.vocab_size
        structure = self.structure
        with torch.no_grad():
            with recording(structure.blocks[-1:]) as seen:
                logits = self.network(input_ids=ids, use_cache=False).logits
            last, final = seen[0], self.forward_ids(ids)
            self.logits_size = logits.shape[-1]  # not always as many as embeddings
            norm = structure.norm or torch.nn.Identity()
            self.head_is_linear = agrees(lambda: structure.head(final), logits)
            self.plain_tail = agrees(lambda: norm(last), final)
            near = max(1e-4, torch.finfo(logits.dtype).eps)  # ours are float32
            if not agrees(lambda: self.unembed(last), logits, tolerance=near) or not agrees(
                lambda: self.head_logits(final), logits, tolerance=near
            ):
                raise BuildError(
                    f"unsupported model: {self.name} ({type(self.network).__name__}): what its last block hands on "
                    f"does not lead to its logits; are blocks, norm and head right? ({structure.names})"
                )
            self._reads_embeddings = agrees(lambda: self._base(inputs_embeds=self.embed(ids)), final, tolerance=1e-4)


AnyModel = Model | Encoder | EncoderDecoder
AnyRun = Run | EncoderRun | EncoderDecoderRun

"""Which ways stand beside each other, at which sizes, and what they do more or less than each other."""

from __future__ import annotations

from .contest import Contest, Way
from .measures import Size

SHORT, LONG = (23, 40), (200, 50)

SALIENCY = Contest(
    "saliency",
    "Gradient × input of every generated token",
    [SHORT, LONG],
    [
        Way("this project", ".own:logit", "logit"),
        Way("this project, of log p", ".own:logprob", "log p"),
        Way("this project, the whole figure with its checks and JSON", ".own:saliency_figure"),
        Way("captum, `InputXGradient`", ".peers.captum_ways:input_x_gradient", "logit"),
        Way(
            "the same with oneDNN’s products",
            ".peers.captum_ways:input_x_gradient_onednn",
            "logit",
            largest=100,
            alone=True,
        ),
        Way("captum, `LLMGradientAttribution`", ".peers.captum_ways:llm", largest=100),
        Way("inseq, `input_x_gradient`", ".peers.inseq_ways:input_x_gradient", "logit"),
        Way("Ecco’s algorithm", ".peers.ecco:grad_x_input", "log p"),
        Way("Ecco’s algorithm, the text generated too", ".peers.ecco:generate", "log p"),
        Way("this project, the text generated too", ".own:generated", "logit"),
        Way("torch alone, a token at a time", ".peers.plain:naive", "logit", largest=100),
        Way("float64", ".peers.truth:logit", "logit", truth=True),
        Way("float64, log p", ".peers.truth:logprob", "log p", truth=True),
    ],
    note="All but `LLMGradientAttribution`, which explains log p and the prompt’s tokens alone, compute the same "
    "shares: ‖gradient ⊙ input‖ of each earlier token, of a row that sums to 1. Ecco explains a probability, whose "
    "shares are those of log p; the call that its users make, `generate(attribution=…)`, writes the text too. The "
    "error is the largest difference of a share from float64, in the longer text of every fifth token.",
)

INTEGRATED = Contest(
    "integrated gradients",
    "Integrated gradients, 50 steps from 0, of twelve generated tokens",
    [SHORT],
    [
        Way("this project", ".own:integrated", "logit"),
        Way("captum, `internal_batch_size=5`", ".peers.captum_ways:integrated_5", "logit"),
        Way("captum", ".peers.captum_ways:integrated", "logit"),
        Way("inseq, `internal_batch_size=5`", ".peers.inseq_ways:integrated_5"),
        Way("inseq", ".peers.inseq_ways:integrated"),
        Way("Ecco’s algorithm", ".peers.ecco:integrated"),
        Way("float64", ".peers.truth:integrated", "logit", truth=True),
    ],
    {"explained": 12},
    note="Seconds are for all twelve, which share each step’s forward pass here. Ecco integrates the probability, and "
    "inseq starts from the embedding of a token for unknown words: other answers, of as much work. The error is the "
    "largest difference from float64 of a share |Σ attribution|; the path from 0 is steep, where norms divide by "
    "almost nothing, and costs float32 digits.",
)

LENS = Contest(
    "lens",
    "Rank, probability and ten top tokens of every generated token after each of 30 layers",
    [SHORT],
    [
        Way("this project; entropy and KL too", ".own:lens", "ranks"),
        Way("this project, both figures with checks and JSON", ".own:lens_figures"),
        Way("a product and a sort a layer", ".own:lens_by_sorting", "ranks"),
        Way("Ecco’s algorithm, `rankings()` + `layer_predictions()`", ".peers.ecco:lens", "ranks"),
        Way("the products alone: the floor", ".own:lens_products"),
    ],
    note="States after each block are given, but for the figures, which begin with the text. The error is the largest "
    "difference of a rank from the first way’s.",
)

FACTORS = Contest(
    "factors",
    "Ten non-negative factors of all 46,080 neurons",
    [(23, 50)],
    [
        Way("this project", ".own:factors"),
        Way("this project, the whole figure with its checks and JSON", ".own:factors_figure"),
        Way("Ecco’s algorithm, `run_nmf()`", ".peers.ecco:run_nmf"),
        Way("scikit-learn from `nndsvda`", ".peers.ecco:nndsvda"),
    ],
    note="Activations are given, but for the figure, which begins with the text. Less of ‖X − WH‖ / ‖X‖ is better.",
)

ATTENTION = Contest(
    "attention",
    "All attention of 30 layers × 9 heads, from a text to what a page holds",
    [(50, 0), (200, 0)],
    [
        Way("this project, `model_view`", ".own:attention"),
        Way("this project, `attention`: queries, keys and values too", ".own:attention_with_vectors"),
        Way("BertViz, `model_view`", ".peers.bertviz_ways:model_view"),
        Way("BertViz, `head_view`", ".peers.bertviz_ways:head_view"),
    ],
    note="Bytes are of JSON and of HTML. This project’s pages load one layer at a time.",
)

PRODUCTS = Contest(
    "products",
    "How fast this machine multiplies float32 matrices, GFLOP/s",
    [(12, 0)],
    [Way("this project", ".own:products"), Way("torch by itself", ".peers.plain:products")],
    note="SmolLM2’s shapes; the best of many.",
)

CONTESTS = (PRODUCTS, SALIENCY, INTEGRATED, LENS, FACTORS, ATTENTION)

GROWTH: tuple[Size, ...] = ((25, 25), (50, 50), (100, 100), (200, 200))
SCALING = Contest(
    "scaling",
    "How this project’s figures grow with the text, half of which is explained",
    GROWTH,
    [
        Way("saliency", ".own:logit"),
        Way("saliency, the whole figure", ".own:saliency_figure"),
        Way("integrated gradients of the last token", ".own:integrated_last"),
        Way("occlusion", ".own:occlusion", largest=200),
        Way("value zeroing", ".own:value_zeroing", largest=200),
        Way("rank, probability, ten top tokens of all layers", ".own:lens"),
        Way("`rankings` and `layer_predictions`, the whole figures", ".own:lens_figures"),
        Way("factors", ".own:factors"),
        Way("`factors`, the whole figure", ".own:factors_figure"),
        Way("`activations`, the whole figure", ".own:activations"),
        Way("`logit_attribution`, the whole figure", ".own:logit_attribution"),
        Way("`model_view`, the whole figure", ".own:attention"),
        Way("`attention`, the whole figure", ".own:attention_with_vectors"),
    ],
)

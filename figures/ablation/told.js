/** What an ablation says: of the answer, of a part that is taken out, and of an edge of attention. */
import { percent } from "../shared/format.js";
import { strongestOf } from "../shared/pieces.js";
import { signed } from "../shared/sheet.js";
import { textOf } from "../shared/text.js";

const NOTHING = 0.005; // of a logit: less is not told

/**
 * Returns what tells of `data`: `whole` and `about` give strings, and tokens for chips. A part is `{ layer, head, what }`,
 * as in the sheet, an edge `{ layer, piece }`: the layer, and what is not looked at, a token or a word, or null.
 */
export function teller(data) {
  const { tokens, answer, foil, edges, factors } = data;
  const asked = foil ? [answer, " over ", foil] : [answer]; // and what it stands against
  return { whole, about, others, effect, factor, name, layers };

  /** Says what the answer is, and `what` else. */
  function whole(what) {
    return ["The logit of ", ...asked, ` is ${signed(data.value)}, the probability ${percent(data.probability)}; ${what}`];
  }

  function about(part) {
    const { lost, probability, says } = effect(part);
    if (lost === null) return [`In ${layers(part.layer)}: choose a token`];
    const none = isNothing(lost);
    const does = none ? "keeps its logit" : `${moves(lost)} of ${signed(data.value)}`;
    const word = { text: data.vocabulary[says] };
    const [now, before] = [percent(probability), percent(data.probability)];
    return [...without(part, none), ", ", ...asked, ` ${does}; its probability ${now === before ? `stays ${now}` : `is ${now}, not ${before}`}`, ...(word.text === answer.text ? [] : ["; first comes ", word])];
  }

  function without(part, none) {
    if (!("piece" in part)) return [`Without ${name(part)}`];
    const { text, tokens: within } = part.piece;
    const look = `In ${layers(part.layer)} without a look at `;
    const of = ` of the ${within.length} tokens of `;
    if (within.length === 1) return [look, { text }];
    return none ? [`${look}any${of}`, { text }] : [look, tokens[effect(part).token], `, the strongest${of}`, { text }];
  }

  /** Says what as many other neurons cost as a factor has: whether its own loss means anything. */
  function others(part) {
    const drawn = factor(part)?.drawn;
    if (drawn === undefined) return "";
    return `; without as many other neurons it ${isNothing(drawn) ? "keeps its logit" : moves(drawn)}`;
  }

  function moves(lost) {
    return `${lost > 0 ? "loses" : "gains"} ${signed(Math.abs(lost)).slice(1)}`;
  }

  /** Returns what taking it out does; of a word, to which only one token is cut at a time, the strongest and its `token`. */
  function effect(part) {
    const of = (table, ...path) => {
      const [lost, probability, says] = [table.lost, table.probabilities, table.says].map((list) => path.reduce((found, i) => found?.[i] ?? null, list));
      return { lost, probability, says };
    };
    const { layer, head, what, piece } = part;
    if (piece === null) return { lost: null };
    if (piece) {
      const [token] = strongestOf(piece, edges.lost[layer]);
      return { token, ...of(edges, layer, token) };
    }
    if (head !== null) return of(data.heads, layer, head);
    if (layer === null) return of(factors, Number(what.split("-")[1]) - 1);
    return of(what === "mlp" ? data.mlps : data.attentions, layer);
  }

  /** Returns what is known of a factor whose neurons are taken out: where it is active, and what others would cost. */
  function factor(part) {
    const j = Number(part?.what?.split("factor-")[1]) - 1;
    return j >= 0 ? { weights: factors.weights[j], drawn: factors.drawn[j] } : null;
  }

  function name({ layer, head, what }, first = false) {
    const text = head !== null ? `head ${head} of layer ${layer}` : what === "heads" ? `the attention of layer ${layer}` : what === "mlp" ? `the MLP of layer ${layer}` : `the neurons of factor ${what.split("-")[1]}`;
    return first ? text[0].toUpperCase() + text.slice(1) : text;
  }

  function layers(layer) {
    const [first, last] = edges.spans[layer];
    return first === last ? `layer ${layer}` : `layers ${first} to ${last}`;
  }
}

/** Returns whether a loss is none to speak of. */
export function isNothing(lost) {
  return Math.abs(lost) < NOTHING;
}

/** What a trace says: of its two runs, of a state, of a row or a layer of states, and of all. */
import { greatest, range } from "d3";
import { percent } from "../shared/format.js";
import { strongestOf } from "../shared/pieces.js";
import { quoted, textOf } from "../shared/text.js";

const NOTHING = 0.0005; // of the difference: below it is rounding

/**
 * Returns `{ run, about }`: what a run says, as nodes; and what `[state, row, layer]` says, numbers or null, or null for all:
 * nodes and strings, texts of tokens and words by `chip`.
 */
export function teller(data) {
  const { tokens, states, n_layers: n, effects, lacking, direction, metric } = data;
  const { clean, corrupted } = data.runs;
  const gap = clean.value - corrupted.value;
  const backwards = direction === "corrupt";
  const texts = tokens.map(textOf);
  return { run, about };

  function run({ value: measured, answer, foil, top }) {
    const nodes = [quoted(textOf(answer)), ` ${percent(answer.probability)}`];
    if (foil) nodes.push(", ", quoted(textOf(foil)), ` ${percent(foil.probability)}`);
    if (![answer.id, foil?.id].includes(top.id)) nodes.push(", first choice ", quoted(textOf(top)), ` ${percent(top.probability)}`);
    if (metric !== "probability") nodes.push(`; ${what()} ${number(measured)}`);
    return nodes;
  }

  function what() {
    return clean.foil ? "difference of their logits" : { logit: "logit", logprob: "log-probability", probability: "probability" }[metric];
  }

  function about(at, rows, words, chip) {
    if (!at) return idle(words);
    return at.includes(null) ? strongest(at, rows, chip) : effect(at, rows, chip);
  }

  function idle(words) {
    const [from, to] = backwards ? ["corrupted", "clean"] : ["clean", "corrupted"];
    const merged = words ? "; a word has that of its strongest token, as effects of several do not add up" : "";
    return [`States of the ${from} run, put into the ${to} one: a token and a layer at a time. Shades tell how much of the difference of ${amount(Math.abs(gap))} each makes${merged}.`];
  }

  /** Says which state a place is, and what putting it back does. */
  function effect([s, r, layer], rows, chip) {
    if (lacking[states[s]].includes(layer)) return [`Layer ${layer} has no ${states[s] === "mlp" ? "MLP" : "attention"} of its own.`];
    const [token, share] = strongestOf(rows[r], effects[states[s]][layer]);
    const here = backwards ? clean.value - share * gap : corrupted.value + share * gap;
    const much = percent(Math.abs(share));
    const [more, less] = backwards ? [`takes ${much} of the difference away`, `adds ${much} to the difference`] : [`brings back ${much} of the difference`, `takes it ${much} further away`];
    const none = Math.abs(share) < NOTHING;
    const does = none ? "changes nothing" : share > 0 ? more : less;
    const { text, tokens: within } = rows[r];
    const of = ` of the ${within.length} tokens of `;
    const where = within.length === 1 ? [chip(text)] : none ? [`any${of}`, chip(text)] : [chip(texts[token]), `, the strongest${of}`, chip(text), ","];
    return [`${backwards ? "Corrupting" : "Restoring"} the ${named(s, layer)} at `, ...where, ` ${does} (clean ${amount(clean.value)}, corrupted ${amount(corrupted.value)}, here ${amount(here)}).`];
  }

  /** Says which states have the largest effects in a line. */
  function strongest([one, r, layer], rows, chip) {
    const found = (one === null ? range(states.length) : [one]).map((s) => {
      const all = range(rows.length * n).map((index) => [Math.floor(index / n), index % n]).filter(([a, b]) => (r ?? a) === a && (layer ?? b) === b);
      const each = all.map(([a, b]) => [rows[a], b, ...strongestOf(rows[a], effects[states[s]][b])]);
      const [row, at, token, share] = greatest(each, ([, , , share]) => Math.abs(share));
      const word = row.tokens.length > 1;
      return [`${signed(share)} by the ${named(s, at)}`, ...(r === null || word ? [" at ", chip(texts[token])] : []), ...(r === null && word ? [" of ", chip(row.text)] : [])];
    });
    if (r === null && layer === null) return ["Largest of all is ", ...found[0], "."];
    const where = r !== null ? ["At ", chip(rows[r].text)] : [`In layer ${layer}`];
    return [...where, ", the largest effects are ", ...found.flatMap((nodes, i) => [i ? (i === found.length - 1 ? " and " : ", ") : "", ...nodes]), "."];
  }

  function named(s, layer) {
    if (states[s] === "residual") return `residual stream after layer ${layer}`;
    const part = states[s] === "mlp" ? "MLP" : "attention";
    if (data.window === 1) return `${part} output of layer ${layer}`;
    const [from, to] = data.spans[layer];
    return `${part} outputs of layers ${from} to ${to}`;
  }

  function amount(measured) {
    return metric === "probability" ? signed(measured) : number(measured);
  }
}

/** Returns a share with its sign as a percentage. */
export function signed(share) {
  return Math.abs(share) < NOTHING / 5 ? "0%" : `${share < 0 ? "−" : ""}${percent(Math.abs(share))}`;
}

function number(measured) {
  const text = measured.toFixed(2).replace("-", "−");
  return /[1-9]/.test(text) ? text : "0.00";
}

/** What a cell can tell: how what stands below it ranks, and how sure the model is there. All darken as it settles. */
import { max, scaleLinear, scaleLog } from "d3";
import { compact, percent, whole } from "../shared/format.js";

const LEAST = 0.01; // nats: the strong end of the logarithmic scales
const KINDS = { uint16: Uint16Array, uint32: Uint32Array };

/** Returns the numbers of an array that `packed.py` has packed, row by row. */
export function unpack({ shape, type, scale, base64 }) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const codes = new KINDS[type](bytes.buffer);
  return Array.from(codes, (code, i) => code * (scale[Math.floor((i * shape[0]) / codes.length)] ?? scale));
}

/** Returns what is known of each token that is ranked, `[r][c]` by measure; all but rank and probability in nats. */
export function knownOf(data) {
  const columns = data.targets.length;
  const rowsOf = (key) => [...(data.embeddings ? [data.embeddings[key]] : []), ...data[key]];
  const unpacked = (key) => {
    const list = unpack(data[key]);
    return rank.map((_, r) => list.slice(r * columns, (r + 1) * columns));
  };
  const [rank, probability] = ["ranks", "probabilities"].map(rowsOf);
  const surprisal = probability.map((row) => row.map((p) => -Math.log(p || 1e-300) || 0));
  return { rank, probability, surprisal, entropy: unpacked("entropy"), kl: unpacked("kl") };
}

/** Returns nats for a sentence; what is not nothing is never "0". */
function nats(n) {
  return n === 0 ? "0" : n < 0.001 ? "<0.001" : n.toFixed(n < 0.01 ? 3 : n < 10 ? 2 : 1);
}

/** And for a narrow cell, in four characters. */
function short(n) {
  if (n < 0.095) return n === 0 ? "0" : n < 0.005 ? "<.01" : n.toFixed(2).slice(1);
  return n.toFixed(n < 9.95 ? 1 : 0);
}

/** A percentage for a narrow cell, without its sign. */
function share(p) {
  return percent(p).slice(0, -1).replace("0.", ".").replace(">99.9", ">99");
}

/**
 * Returns the measures by name: `title`, the ends `low` and `high` of its scale, `of(r, c)`, and of such a number its
 * `shade`, its `text` for a narrow cell, and its `full` text. With `words` they are those of words, and `how` tells how a
 * word's number comes from those of its tokens. A scale that a gallery shares ends where that of tokens does.
 */
export function measures(known, vocabulary, extent = {}, words = false) {
  const size = extent.rank ?? vocabulary;
  const furthest = (name) => max(known[name].flat());
  const [one, added] = words ? [" of a word", ", sum over a word"] : ["", ""];
  const measure = (name, how, rest) => ({ of: (r, c) => known[name][r][c], how, ...rest });
  const scale = (create, most, least) => create([least, most], [1, 0]).clamp(true);
  const inNats = (name, title, create, most, least) => measure(name, "sum", {
    title, low: `${furthest(name) > most + LEAST ? "≥ " : ""}${nats(most)} nats`, high: `${least}`, shade: scale(create, most, least), text: short, full: (n) => `${nats(n)} nats`,
  });
  const inLog = (name, title) => inNats(name, `${title}, log scale`, scaleLog, Math.max(extent[name] ?? furthest(name), 2 * LEAST), LEAST);
  return {
    rank: measure("rank", "worst", { title: `${words ? "worst rank in a word" : "rank"}, log scale`, low: whole(size), high: "1", shade: scale(scaleLog, size, 1), text: compact, full: whole }),
    probability: measure("probability", "product", { title: `probability${one}, %`, low: "0", high: "100", shade: scaleLinear(), text: share, full: percent }),
    surprisal: inLog("surprisal", `surprisal${one}`),
    entropy: inNats("entropy", `entropy${added}`, scaleLinear, extent.entropy ?? Math.max(Math.log(size), furthest("entropy")), 0),
    kl: inLog("kl", `KL(last layer ‖ this layer)${added}`),
  };
}

/** Rankings: after each layer, the rank of the token that is the output in the end, layer 0 at the top as the text flows. */
import { mean, range } from "d3";
import { choice } from "../shared/choice.js";
import { courses } from "../shared/course.js";
import { percent, whole } from "../shared/format.js";
import { heatmap } from "../shared/heatmap.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { readout } from "../shared/readout.js";
import { selection } from "../shared/selection.js";
import { stripKey } from "../shared/strip.js";
import { switcher } from "../shared/switch.js";
import { quoted, spoken, textOf } from "../shared/text.js";
import { facts, tooltip } from "../shared/tooltip.js";
import { positions } from "../shared/units.js";
import { knownOf, measures, unpack } from "./measures.js";
import { merge, unitsOf } from "./words.js";

const ROOMY = 44; // px: a cell this wide holds a rank in full, "49,152" at 11 px
const MANY = 40; // columns from which on cells are shades and their numbers stand in the card, unless asked for
const LONG = 8; // tokens of a word that its card has room for

/**
 * Returns an element whose `value` is `{ layer, position, measure, display, numbers, words, pinned }`: a row, by the number
 * of its layer or "embeddings", and an output token, null while none is selected; where tokens are merged into words it
 * stands for the word that it is in. It emits `input` when that changes.
 */
export default function rankings(data, { value = {}, piece, extent } = {}) {
  const { tokens, targets, vocabulary, vocab_size } = data;
  const own = knownOf(data);
  const [rows, n] = [own.rank.length, targets.length];
  const [top, k] = [unpack(data.top), data.top.shape[2]];
  const longer = {}; // all top tokens of a row, where there are more than `top` holds
  const [byToken, byWord] = [false, true].map(formOf);
  const mergeable = byWord.columns.length < n;
  const layers = data.layers.map((name) => (name === "embeddings" ? name : Number(name)));

  let words = mergeable && value.words === true;
  let form = words ? byWord : byToken;
  let measure = Object.hasOwn(form.known, value.measure) ? value.measure : "rank";
  let display = ["grid", "text"].find((name) => name === value.display) ?? data.display;
  let numbers = typeof value.numbers === "boolean" ? value.numbers : n <= MANY;
  let shown; // the grid or the text of a form
  let looked = null; // the cell whose card is shown
  let roomy = false;

  const [root, bar, key] = ["view", "view-bar", "view-key"].map((name) => {
    const element = document.createElement("div");
    element.className = name;
    return element;
  });
  const sentence = readout();
  const names = Object.keys(form.known).map((name) => [name, name === "kl" ? "KL to the last layer" : name]);
  const told = choice("Cells tell", names, measure, (name) => change(() => (measure = name)));
  const shows = choice("Show", [["grid", "grid"], ["text", "text"]], display, (name) => change(() => (display = name)));
  const all = switcher("Numbers in all cells", numbers, (on) => change(() => (numbers = on)));
  const join = switcher("Merge into words", words, (on) => change(() => (words = on)));
  bar.append(key, told.element, shows.element, ...(n > MANY / 2 ? [all] : []), ...(mergeable ? [join] : []));
  bar.append(hint("arrows move", "Enter pins a column", "Esc lets go"));
  root.append(sentence.element, bar);
  const tip = tooltip(root);

  const known = value.position === undefined || targets.includes(value.position);
  const restored = known ? chosen(value.layer, value.position) : null;
  const state = selection({ current: restored, pinned: Boolean(restored) && value.pinned !== false, changed }); // `[row, position]`
  const on = { look, press: (at) => state.toggle(item(at), place), step: (at) => state.step(item(at)), escape };
  lay();
  root.show = show;
  return root;

  function change(act) {
    act();
    lay();
    emit();
  }

  /** Returns `columns`, of tokens or of words, and what is known of them; `units` are those of the whole text. */
  function formOf(words) {
    const units = unitsOf(tokens, targets[0], words);
    const columns = units.filter(({ start }) => start >= targets[0]);
    const numbers = merge(own, columns, targets[0]);
    return { units, columns, ranks: numbers.rank, known: measures(numbers, vocab_size, extent, words), one: words ? "word" : "token" };
  }

  /** Puts the grid or the text into the figure, made when it is first asked for, and writes numbers and shades. */
  function lay() {
    form = words ? byWord : byToken;
    const { title, low, high, shade, of } = form.known[measure];
    const before = shown;
    shown = display === "grid" ? (form.grid ??= makeGrid()) : (form.text ??= makeText());
    if (before !== shown) before ? before.element.replaceWith(shown.element) : sentence.element.after(shown.element);
    root.dataset.tone = { entropy: 2, kl: 3 }[measure] ?? 1;
    root.toggleAttribute("data-words", words);
    all.hidden = display === "text";
    if (shown === form.grid) {
      shown.element.toggleAttribute("data-thin", !numbers);
      shown.fill(cell);
      key.replaceChildren(legend(title, low, high).element);
    } else {
      shown.redraw((r, c) => shade(of(r, c)));
      key.replaceChildren(...stripKey(tokens), `Lines run from ${named(0)} to ${named(rows - 1)}. Their height is ${title}: ${high} at the top, ${low} at the bottom.`);
    }
    draw();
  }

  function makeText() {
    const { units, columns, one } = form;
    return courses({ tokens: units, targets: columns.map((column) => units.indexOf(column)) }, rows, `Output ${one}s and their courses over the layers`, on);
  }

  function makeGrid() {
    const made = heatmap({
      label: `Each output ${form.one} after each layer`,
      corner: { above: "reads", below: "writes" },
      rows: layers.map((layer) => (layer === 0 ? "layer 0" : layer)), // the first number says what is numbered
      columns: form.columns.map((column) => ({ above: textOf(tokens[column.start - 1]), below: textOf(column) })),
      cell,
      on,
    });
    made.element.toggleAttribute("data-embeddings", Boolean(data.embeddings));
    made.element.addEventListener("scroll", tip.hide, { passive: true });
    new ResizeObserver(() => {
      const is = made.cells[0].offsetWidth >= ROOMY;
      if (is === roomy || shown !== made) return;
      roomy = is;
      made.fill(cell);
    }).observe(made.element);
    return made;
  }

  function cell(r, c) {
    const { of, text, full, shade } = form.known[measure];
    const number = of(r, c);
    const words = !numbers ? "" : roomy ? full(number).replace(" nats", "") : text(number);
    return { text: words, shade: shade(number), label: full(number) };
  }

  /** Hover: the cell under the pointer, also while a column is pinned; then only its card is shown. */
  function look(at) {
    if (state.pinned) card(at);
    else state.preview(item(at));
  }

  function escape() {
    state.release();
    state.preview(null);
  }

  function changed() {
    draw();
    emit();
  }

  function emit() {
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Shows a part that prose names as if it were pointed at, or pins it. */
  function show(part, { pin = false } = {}) {
    const at = chosen(part?.layer, part?.token);
    if (pin && at) state.toggle(at, place);
    else paint(at ?? state.current, at ? false : state.pinned);
  }

  /** Returns what is selected by a layer, a token or both, as far as they exist: a token alone after the last layer. */
  function chosen(layer, position) {
    const r = layers.indexOf(layer);
    if (targets.includes(position)) return [r < 0 ? rows - 1 : r, position];
    return r < 0 ? null : [r, null];
  }

  /** Returns the cell, `[r, c]`, of what is selected, and what is selected by a cell. */
  function place(at) {
    return at && [at[0], at[1] === null ? null : form.columns.findLastIndex(({ start }) => start <= at[1])];
  }

  function item(at) {
    return at && [at[0], at[1] === null ? null : form.columns[at[1]].start];
  }

  function draw() {
    const [r, position] = state.current ?? [null, null];
    root.value = { layer: r === null ? null : layers[r], position, measure, display, numbers, words, pinned: state.pinned };
    paint(state.current, state.pinned);
  }

  function paint(selected, pinned) {
    const at = place(selected);
    shown.select(at, pinned);
    card(at);
    const [said, heard = said, ...chips] = !at ? [overview()] : at[1] === null ? ofLayer(at[0]) : ofCell(...at);
    sentence.say([...chips, said], heard, pinned);
  }

  function overview() {
    const all = whole(vocab_size);
    if (words) return `Ranks of output words after each layer: the worst rank of a word’s tokens among all ${all}. 1 means that each is the model’s first choice.`;
    return `Ranks of output tokens among all ${all} after each layer: 1 is the model’s first choice.`;
  }

  function ofCell(r, c) {
    const { start, size } = form.columns[c];
    const name = textOf(form.columns[c]);
    const { of, full, how } = form.known[measure];
    const by = (how) => (size > 1 ? ` (${how})` : "");
    const other = /rank|prob/.test(measure) ? "" : `, ${measure === "kl" ? "KL to the last layer" : measure} ${full(of(r, c))}${by(how)}`;
    const probability = percent(form.known.probability.of(r, c)) + by("product");
    const rest = ` at ${placed(start, size)}: ${size > 1 ? `worst rank of ${size} tokens` : "rank"} ${whole(form.ranks[r][c])} ${where(r)}, probability ${probability}${other}`;
    const list = ofTokens(r, c).slice(0, LONG).map(([name, rank, texts]) => {
      const start = size > 1 ? `${spoken(name)} rank ${whole(rank)}, first choices ` : "first choices there: ";
      return start + texts.map(spoken).join(", ");
    });
    return [`${rest}. ${course(c)}`, `${spoken(name)}${rest}; ${[...list, ...more(size)].join("; ")}. ${course(c)}`, quoted(name)];
  }

  function ofLayer(r) {
    const { columns, known, ranks, one } = form;
    const first = ranks[r].filter((rank) => rank === 1).length;
    const average = (name) => known[name].full(mean(range(columns.length), (c) => known[name].of(r, c)));
    return [`${first} of ${columns.length} ${one}s rank first ${where(r)}. On average, entropy is ${average("entropy")} and KL to the last layer ${average("kl")}${words ? " a word" : ""}.`];
  }

  /** Returns how a token came to the top: the layer from which it stays first, and from which in the first ten. */
  function course(c) {
    const since = (most) => form.ranks.findLastIndex((row) => row[c] > most) + 1;
    const [ten, first] = [since(10), since(1)];
    if (first < rows) return `It stays first from ${named(first)} on.`;
    return ten < rows ? `It stays in the first ten from ${named(ten)} on.` : "It is not among the first ten at the end.";
  }

  function named(r) {
    return r || layers[0] === 0 ? `layer ${layers[r]}` : "the embeddings";
  }

  function where(r) {
    return `${r || layers[0] === 0 ? "after" : "in"} ${named(r)}`;
  }

  function placed(start, size) {
    return size > 1 ? `positions ${start}–${start + size - 1}` : `position ${start}`;
  }

  /** Returns of each token in a cell its text, its rank and the top tokens there; of a token alone all, once their piece has come. */
  function ofTokens(r, c) {
    return positions(form.columns[c]).map((position) => {
      const t = position - targets[0];
      const start = (r * n + t) * k;
      const few = top.slice(start, start + k).map((v) => vocabulary[v]);
      return [textOf(tokens[position]), own.rank[r][t], (form.columns[c].size === 1 && longer[r]?.top[t]) || few];
    });
  }

  async function fetchMore(r) {
    if (data.most_top <= k || longer[r] || !piece) return;
    longer[r] = { top: [] }; // asked for
    longer[r] = await piece(layers[r] === "embeddings" ? "embeddings" : `layer-${layers[r]}`).catch(() => null);
    if (looked?.[0] === r) card(looked);
  }

  function card(at) {
    looked = at && at[1] !== null ? at : null;
    form.grid?.look(looked);
    if (!looked) return tip.hide();
    const [r, c] = at;
    const { start, size } = form.columns[c];
    const one = size === 1;
    const found = ofTokens(r, c);
    const numbers = Object.entries(form.known).map(([name, { of, full, how }]) => {
      const number = name === "rank" ? `${whole(of(r, c))} of ${whole(vocab_size)}` : full(of(r, c));
      return [name === "kl" ? "KL to last" : name, one ? number : `${number}, ${how}${name === "rank" ? ` of ${size} tokens` : ""}`];
    });
    const list = one
      ? [["first choices", choices(found[0][2])]]
      : [...found.slice(0, LONG).map(([name, rank, texts]) => [`rank ${whole(rank)}`, quoted(name), " first: ", choices(texts)]), ...more(size).map((text) => ["", text])];
    const word = one ? [] : [["word", quoted(textOf(form.columns[c])), ` ${placed(start, size)}`]];
    tip.show(shown.anchor(at), [facts([...word, ["read", where(r)], ...numbers, ...list])], { beside: shown === form.grid });
    if (one) fetchMore(r);
  }
}

/** Returns what stands for the tokens of a word beyond those that are listed: a list of one text, or of none. */
function more(size) {
  return size > LONG ? [`${size - LONG} more tokens`] : [];
}

function choices(texts) {
  const list = document.createElement("span");
  list.className = "choices";
  for (const text of texts) list.append(quoted(text), " ");
  return list;
}

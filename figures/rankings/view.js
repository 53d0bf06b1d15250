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
import { measures, unpack } from "./measures.js";

const ROOMY = 44; // px: a cell this wide holds a rank in full, "49,152" at 11 px
const MANY = 40; // columns from which on cells are shades and their numbers stand in the card, unless asked for

/**
 * Returns an element whose `value` is `{ layer, position, measure, display, numbers, pinned }`: a row, by the number of
 * its layer or "embeddings", and an output token, null while none is selected. It emits `input` when that changes.
 */
export default function rankings(data, { value = {}, piece, extent } = {}) {
  const { tokens, targets, vocabulary, vocab_size } = data;
  const rowsOf = (key) => [...(data.embeddings ? [data.embeddings[key]] : []), ...data[key]];
  const [ranks, probabilities] = ["ranks", "probabilities"].map(rowsOf);
  const [rows, columns] = [ranks.length, targets.length];
  const [top, k] = [unpack(data.top), data.top.shape[2]];
  const longer = {}; // all top tokens of a row, where there are more than `top` holds
  const known = measures(data, ranks, probabilities, extent);
  const layers = data.layers.map((name) => (name === "embeddings" ? name : Number(name)));

  let measure = Object.hasOwn(known, value.measure) ? value.measure : "rank";
  let display = ["grid", "text"].find((name) => name === value.display) ?? data.display;
  let numbers = typeof value.numbers === "boolean" ? value.numbers : columns <= MANY;
  let grid, text, shown; // `shown` is one of the two
  let looked = null; // the cell whose card is shown
  let roomy = false;

  const [root, bar, key] = ["view", "view-bar", "view-key"].map((name) => {
    const element = document.createElement("div");
    element.className = name;
    return element;
  });
  const sentence = readout();
  const names = Object.keys(known).map((name) => [name, name === "kl" ? "KL to the last layer" : name]);
  const told = choice("Cells tell", names, measure, (name) => change(() => (measure = name)));
  const shows = choice("Show", [["grid", "grid"], ["text", "text"]], display, (name) => change(() => (display = name)));
  const all = switcher("Numbers in all cells", numbers, (on) => change(() => (numbers = on)));
  bar.append(key, told.element, shows.element, ...(columns > MANY / 2 ? [all] : []));
  bar.append(hint("arrows move", "Enter pins a column", "Esc lets go"));
  root.append(sentence.element, bar);
  const tip = tooltip(root);

  const row = layers.indexOf(value.layer);
  const column = targets.indexOf(value.position);
  const restored = column >= 0 ? [row < 0 ? rows - 1 : row, column] : row >= 0 && value.position === undefined ? [row, null] : null;
  const state = selection({ current: restored, pinned: Boolean(restored) && value.pinned !== false, changed });
  const on = { look, press: state.toggle, step: state.step, escape };
  lay();
  root.show = show;
  return root;

  function change(act) {
    act();
    lay();
    emit();
  }

  /** Puts the grid or the text into the figure, made when it is first asked for, and writes numbers and shades. */
  function lay() {
    const { title, low, high, shade, of } = known[measure];
    const before = shown;
    shown = display === "grid" ? (grid ??= makeGrid()) : (text ??= courses(data, rows, "Output tokens and their courses over the layers", on));
    if (before !== shown) before ? before.element.replaceWith(shown.element) : sentence.element.after(shown.element);
    root.dataset.tone = { entropy: 2, kl: 3 }[measure] ?? 1;
    all.hidden = shown === text;
    if (shown === grid) {
      grid.element.toggleAttribute("data-thin", !numbers);
      grid.fill(cell);
      key.replaceChildren(legend(title, low, high).element);
    } else {
      text.redraw((r, c) => shade(of(r, c)));
      key.replaceChildren(...stripKey(tokens), `Lines run from ${named(0)} to ${named(rows - 1)}. Their height is ${title}: ${high} at the top, ${low} at the bottom.`);
    }
    draw();
  }

  function makeGrid() {
    const made = heatmap({
      label: "Each output token after each layer",
      corner: { above: "reads", below: "writes" },
      rows: layers.map((layer) => (layer === 0 ? "layer 0" : layer)), // the first number says what is numbered
      columns: targets.map((position) => ({ above: textOf(tokens[position - 1]), below: textOf(tokens[position]) })),
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
    const { of, text, full, shade } = known[measure];
    const number = of(r, c);
    const words = !numbers ? "" : roomy ? full(number).replace(" nats", "") : text(number);
    return { text: words, shade: shade(number), label: full(number) };
  }

  /** Hover: the cell under the pointer, also while a column is pinned; then only its card is shown. */
  function look(at) {
    if (state.pinned) card(at);
    else state.preview(at);
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
    const [r, c] = [layers.indexOf(part?.layer), targets.indexOf(part?.token)];
    const at = c >= 0 ? [r < 0 ? rows - 1 : r, c] : r >= 0 ? [r, null] : null;
    if (pin && at) state.toggle(at);
    else paint(at ?? state.current, at ? false : state.pinned);
  }

  function draw() {
    const [r, c] = state.current ?? [null, null];
    root.value = { layer: r === null ? null : layers[r], position: c === null ? null : targets[c], measure, display, numbers, pinned: state.pinned };
    paint(state.current, state.pinned);
  }

  function paint(at, pinned) {
    shown.select(at, pinned);
    card(at);
    const [words, heard = words, ...chips] = !at ? [`Ranks of output tokens among all ${whole(vocab_size)} after each layer: 1 is the model’s first choice.`] : at[1] === null ? ofLayer(at[0]) : ofCell(...at);
    sentence.say([...chips, words], heard, pinned);
  }

  function ofCell(r, c) {
    const name = textOf(tokens[targets[c]]);
    const { of, full } = known[measure];
    const other = /rank|prob/.test(measure) ? "" : `, ${measure === "kl" ? "KL to the last layer" : measure} ${full(of(r, c))}`;
    const rest = ` at position ${targets[c]}: rank ${whole(ranks[r][c])} ${where(r)}, probability ${percent(probabilities[r][c])}${other}`;
    const list = texts(r, c).map(spoken).join(", ");
    return [`${rest}. ${course(c)}`, `${spoken(name)}${rest}; first choices there: ${list}. ${course(c)}`, quoted(name)];
  }

  function ofLayer(r) {
    const first = ranks[r].filter((rank) => rank === 1).length;
    const average = (name) => known[name].full(mean(range(columns), (c) => known[name].of(r, c)));
    return [`${first} of ${columns} tokens rank first ${where(r)}. On average, entropy is ${average("entropy")} and KL to the last layer ${average("kl")}.`];
  }

  /** Returns how a token came to the top: the layer from which it stays first, and from which in the first ten. */
  function course(c) {
    const since = (most) => ranks.findLastIndex((row) => row[c] > most) + 1;
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

  /** Returns the top tokens of a cell: the first few, and all once their piece has come. */
  function texts(r, c) {
    const start = (r * columns + c) * k;
    return longer[r]?.top[c] ?? top.slice(start, start + k).map((v) => vocabulary[v]);
  }

  async function fetchMore(r) {
    if (data.most_top <= k || longer[r] || !piece) return;
    longer[r] = { top: [] }; // asked for
    longer[r] = await piece(layers[r] === "embeddings" ? "embeddings" : `layer-${layers[r]}`).catch(() => null);
    if (looked?.[0] === r) card(looked);
  }

  function card(at) {
    looked = at && at[1] !== null ? at : null;
    grid?.look(looked);
    if (!looked) return tip.hide();
    const [r, c] = at;
    const list = document.createElement("span");
    list.className = "choices";
    for (const word of texts(r, c)) list.append(quoted(word), " ");
    const others = Object.entries(known).slice(2).map(([name, { of, full }]) => [name === "kl" ? "KL to last" : name, full(of(r, c))]);
    tip.show(
      shown.anchor(at),
      [facts([["read", where(r)], ["rank", `${whole(ranks[r][c])} of ${whole(vocab_size)}`], ["probability", percent(probabilities[r][c])], ...others, ["first choices", list]])],
      { beside: shown === grid },
    );
    fetchMore(r);
  }
}

/** Rankings: after each layer, the rank of the token that is the output in the end, layer 0 at the top as the text flows. */
import { range, scaleLog } from "d3";
import { compact, percent, whole } from "../shared/format.js";
import { heatmap } from "../shared/heatmap.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { pointing } from "../shared/pointing.js";
import { pinMark, readout } from "../shared/readout.js";
import { overGrid, roving } from "../shared/roving.js";
import { selection } from "../shared/selection.js";
import { quoted, spoken, textOf } from "../shared/text.js";
import { facts, tooltip } from "../shared/tooltip.js";

const ROOMY = 44; // px: a cell this wide holds a rank in full, "49,152" at 11 px

/**
 * Returns an element whose `value` is `{ layer, position, pinned }` (null while nothing is selected): the row, and the
 * position of the output token. It emits `input` when that changes. `options.value` restores a selection.
 */
export default function rankings(data, { value } = {}) {
  const { tokens, targets, ranks, probabilities, top, vocabulary, layers, vocab_size } = data;
  const names = layers ?? range(ranks.length).map(String);
  const [rows, columns] = [ranks.length, targets.length];
  const shade = scaleLog([1, vocab_size], [1, 0]).clamp(true);
  const root = document.createElement("div");
  const sentence = readout();
  const ramp = legend("rank, log scale", whole(vocab_size), "1");
  const grid = heatmap({
    label: "Rank of each output token after each layer",
    corner: { above: "reads", below: "writes" },
    rows: names.map((name) => (name === "0" ? "layer 0" : name)), // the first number says what is numbered
    columns: targets.map((position) => ({ above: textOf(tokens[position - 1]), below: textOf(tokens[position]) })),
    cell: (r, c) => ({ text: compact(ranks[r][c]), shade: shade(ranks[r][c]) }),
  });
  const bar = document.createElement("div");
  root.className = "view";
  bar.className = "view-bar";
  bar.append(ramp.element, hint("arrows move", "Enter pins a column", "Esc lets go"));
  root.append(sentence.element, grid.element, bar);
  const tip = tooltip(root);

  const restored = targets.indexOf(value?.position);
  const state = selection({
    current: restored < 0 ? null : [Math.min(Math.max(Number(value.layer) || 0, 0), rows - 1), restored],
    pinned: restored >= 0 && value.pinned !== false,
    changed,
  });
  const place = (index) => (index === null ? null : [Math.floor(index / columns), index % columns]);
  const stops = roving(grid.element, grid.cells, overGrid(rows, columns), (index) => state.step(place(index)));
  pointing(grid.element, grid.cells, {
    point: (index) => look(place(index)),
    press(index) {
      stops.rest(index);
      state.toggle(place(index));
    },
    escape,
  });
  grid.heads.forEach((heads, c) => heads.forEach((head) => head.addEventListener("click", () => state.toggle([rows - 1, c]))));
  grid.element.addEventListener("scroll", tip.hide, { passive: true });
  new ResizeObserver(fit).observe(grid.element);
  draw();
  return root;

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
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function fit() {
    const text = grid.cells[0].offsetWidth >= ROOMY ? whole : compact;
    if (fit.text === text) return;
    fit.text = text;
    grid.cells.forEach((cell, index) => (cell.textContent = text(ranks[Math.floor(index / columns)][index % columns])));
  }

  function draw() {
    const at = state.current;
    grid.element.classList.toggle("is-pinned", state.pinned);
    for (const marked of grid.element.querySelectorAll(".is-selected, .is-column, .is-row")) {
      marked.classList.remove("is-selected", "is-column", "is-row");
      marked.removeAttribute("aria-selected");
    }
    root.value = { layer: at && at[0], position: at && targets[at[1]], pinned: state.pinned };
    card(at);
    if (!at) {
      const text = `Each cell is the rank of the token below it among all ${whole(vocab_size)} after that layer: 1 is the model’s first choice.`;
      return sentence.say([text], text);
    }
    const [r, c] = at;
    grid.cells[r * columns + c].classList.add("is-selected");
    grid.cells[r * columns + c].setAttribute("aria-selected", "true");
    grid.cells[r * columns].previousSibling.classList.add("is-row");
    for (let i = 0; i < rows; i++) grid.cells[i * columns + c].classList.add("is-column");
    for (const head of grid.heads[c]) head.classList.add("is-column");
    const text = textOf(tokens[targets[c]]);
    const rest = ` at position ${targets[c]}: rank ${whole(ranks[r][c])} after ${layerName(r)}, probability ${percent(probabilities[r][c])}`;
    const list = top[r][c].map((v) => spoken(vocabulary[v])).join(", ");
    sentence.say([quoted(text), rest, `. ${course(c)}`, ...(state.pinned ? [pinMark()] : [])], `${spoken(text)}${rest}; first choices there: ${list}. ${course(c)}`);
  }

  /** Returns how a token came to the top: the layer from which it stays first, and from which in the first ten. */
  function course(c) {
    const stays = (rank) => rows - [...ranks].reverse().findIndex((row) => row[c] > rank);
    const since = (rank) => (ranks.every((row) => row[c] <= rank) ? 0 : stays(rank));
    const [ten, first] = [since(10), since(1)];
    if (first < rows) return `It stays first from ${layerName(first)} on.`;
    if (ten < rows) return `It stays in the first ten from ${layerName(ten)} on.`;
    return "It is not among the first ten at the end.";
  }

  function layerName(r) {
    return /^\d+$/.test(names[r]) ? `layer ${names[r]}` : `the ${names[r]}`;
  }

  function card(at) {
    grid.element.querySelector(".is-looked-at")?.classList.remove("is-looked-at");
    if (!at) return tip.hide();
    const [r, c] = at;
    grid.cells[r * columns + c].classList.add("is-looked-at");
    const list = document.createElement("span");
    list.className = "choices";
    for (const v of top[r][c]) list.append(quoted(vocabulary[v]), " ");
    tip.show(
      grid.cells[r * columns + c],
      [facts([
        ["after", layerName(r)],
        ["rank", `${whole(ranks[r][c])} of ${whole(vocab_size)}`],
        ["probability", percent(probabilities[r][c])],
        ["first choices", list],
      ])],
      { beside: true },
    );
  }
}

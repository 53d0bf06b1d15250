/** Edges of attention: a grid of layers by what is not looked at. It is loaded where a figure has edges. */
import { heatmap } from "../shared/heatmap.js";
import { strongestOf } from "../shared/pieces.js";
import { signed } from "../shared/sheet.js";

/**
 * Returns a heat map of what is `lost`, `[layer][token]`, a column a piece of the text, whose full shade stands for `top`.
 * Where it tells `on` of a cell or of a row, it gives `[layer, token]`, of a word its strongest token, or `[layer, null]`.
 */
export function edgesGrid({ lost, columns, top, on: { look, press, step, escape } }) {
  const losses = lost.map((row) => columns.map((piece) => strongestOf(piece, row)[1]));
  const edge = (at) => at && [at[0], at[1] === null ? null : strongestOf(columns[at[1]], lost[at[0]])[0]];
  const grid = heatmap({
    label: "What is lost without each edge",
    corner: { above: "layer", below: "" },
    rows: lost.map((_, layer) => layer),
    columns: columns.map(({ text, tokens }) => ({ above: text, below: `${tokens[0]}` })),
    cell: (r, c) => ({ text: "", shade: Math.min(1, Math.abs(losses[r][c]) / top), label: signed(losses[r][c]) }),
    on: { look: (at) => look(edge(at)), press: (at) => press(edge(at)), step: (at) => step(edge(at)), escape },
  });
  grid.element.dataset.thin = "";
  const flat = losses.flat();
  grid.cells.forEach((cell, i) => cell.classList.toggle("is-negative", flat[i] < 0));
  return grid;
}

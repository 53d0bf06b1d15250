/** A heat map as a table: layers by tokens, a number in each cell, and its shade in the property `--s` (0 to 1). */
import { spoken, visible } from "./text.js";

const SHORT = 2; // characters that fit above a cell level: a comma on its side is no comma
const FEW = 10; // columns whose names fit above and below them on all but phones

/**
 * Returns `{ element, cells, heads }`: a container that scrolls sideways under its row names, the cells row by row, and
 * for each column the header cells above and below it.
 *
 * `rows` are names; `columns` are `{ above, below }` texts of tokens; `cell(r, c)` gives `{ text, shade }`.
 */
export function heatmap({ label, corner, rows, columns, cell }) {
  const element = document.createElement("div");
  const table = document.createElement("table");
  const heads = columns.map(() => []);
  element.className = "heat";
  element.toggleAttribute("data-few", columns.length <= FEW);
  element.style.setProperty("--columns", columns.length);
  element.style.setProperty("--rows", rows.length);
  table.setAttribute("role", "grid");
  table.setAttribute("aria-label", label);
  element.append(table);

  edge(table.createTHead(), corner.above, "above");
  const body = table.createTBody();
  const cells = [];
  rows.forEach((name, r) => {
    const row = body.insertRow();
    row.append(header("row", name));
    columns.forEach((_, c) => {
      const { text, shade } = cell(r, c);
      const td = row.insertCell();
      td.textContent = text;
      td.style.setProperty("--s", shade.toFixed(3));
      td.tabIndex = -1;
      cells.push(td);
    });
  });
  edge(table.createTFoot(), corner.below, "below");
  return { element, cells, heads };

  function edge(section, name, side) {
    const row = section.insertRow();
    row.append(header("row", name));
    columns.forEach((column, c) => {
      const th = header("col", "");
      const text = document.createElement("span");
      text.className = "column-name";
      text.append(visible(column[side]));
      text.toggleAttribute("data-short", column[side].length <= SHORT);
      th.append(text);
      if (!column[side].trim()) th.append(said(spoken(column[side])));
      row.append(th);
      heads[c].push(th);
    });
  }
}

function said(text) {
  const span = document.createElement("span");
  span.className = "spoken";
  span.textContent = text;
  return span;
}

function header(scope, text) {
  const th = document.createElement("th");
  th.scope = scope;
  th.textContent = text;
  return th;
}

/** A heat map as a table: layers by tokens, a number in each cell, and its shade in the property `--s` (0 to 1). */
import { pointing } from "./pointing.js";
import { overGrid, placeInGrid, roving } from "./roving.js";
import { pick } from "./selection.js";
import { spoken, visible } from "./text.js";

const SHORT = 2; // characters that fit above a cell level: a comma on its side is no comma
const FEW = 10; // columns whose names fit above and below them on all but phones

/**
 * Returns `{ element, cells, heads, names, fill, place, walk }`: a container that scrolls sideways under its row names, the
 * cells row by row, for each column the header cells above and below it, the header of each row; `fill(cell)` writes all
 * cells anew, `place(index)` is a cell's `[r, c]`, and `walk` lets keys go over cells and names.
 *
 * `rows` are names; `columns` are `{ above, below }` texts of tokens; `cell(r, c)` gives `{ text, shade, label }`, the last
 * for screen readers where there is no text.
 *
 * With `on`, `{ look, press, step, escape }`, it listens: they get `[r, c]`, `[r, null]` for a row, and `look(null)` when
 * the pointer leaves; a column's name stands for its last cell. Then it has `anchor(at)`, the cell, `rest(at)`, which makes
 * it the one that Tab leads to, and `select(at, pinned)` and `look(at)`, which draw lines around cells: a class on the cells
 * themselves would cost a thousand times their style, layout and paint. What is pinned is selected for a screen reader too.
 */
export function heatmap({ label, corner, rows, columns, cell, on }) {
  const element = document.createElement("div");
  const table = document.createElement("table");
  const heads = columns.map(() => []);
  const width = columns.length;
  element.className = "heat";
  element.toggleAttribute("data-few", width <= FEW);
  element.style.setProperty("--columns", width);
  element.style.setProperty("--rows", rows.length);
  table.setAttribute("role", "grid");
  table.setAttribute("aria-label", label);
  element.append(table);

  edge(table.createTHead(), corner.above, "above");
  const body = table.createTBody();
  const cells = [];
  const names = rows.map((name) => {
    const row = body.insertRow();
    const th = header("row", name);
    row.append(th);
    for (const _ of columns) {
      const td = document.createElement("td");
      td.tabIndex = -1;
      row.append(td);
      cells.push(td);
    }
    return th;
  });
  fill(cell);
  edge(table.createTFoot(), corner.below, "below");
  const made = { element, cells, heads, names, fill, place, walk };
  return on ? listening() : made;

  function fill(cell) {
    cells.forEach((td, index) => {
      const { text, shade, label } = cell(...place(index));
      if (td.textContent !== text) td.textContent = text;
      if (!text && label) td.setAttribute("aria-label", label);
      else td.removeAttribute("aria-label");
      td.style.setProperty("--s", shade.toFixed(3));
    });
  }

  function place(index) {
    return placeInGrid(index, rows.length, width, rows.length);
  }

  /**
   * Makes cells and names one tab stop: a row's name is at the left of its first cell, a column's above it. `step` and
   * `press` get `[r, c]`, `[r, null]` for a row's name and `[null, c]` for a column's; cells are pressed by whom it concerns.
   */
  function walk({ step, press }) {
    const named = [...names, ...heads.map(([above]) => above)];
    const keys = overGrid(rows.length, width, { names: rows.length, heads: true });
    const stops = roving(element, [...cells, ...named], keys, (index) => step(place(index)));
    const choose = (i) => (stops.rest(cells.length + i), press(place(cells.length + i)));
    named.forEach((head, i) => {
      head.tabIndex = -1;
      head.addEventListener("click", () => choose(i));
      head.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose(i);
      });
    });
    heads.forEach(([, below], c) => below.addEventListener("click", () => choose(rows.length + c)));
    return stops;
  }

  function listening() {
    const frames = {};
    let chosen = [null, false];
    let seen = null;
    const anchor = ([r, c]) => cells[r * width + c];
    const whole = ([r, c]) => [r ?? rows.length - 1, c];
    const { rest } = walk({ step: (at) => on.step(whole(at)), press: (at) => on.press(whole(at)) });
    pointing(element, cells, {
      point: (index) => on.look(index === null ? null : place(index)),
      press(index) {
        rest(index);
        on.press(place(index));
      },
      escape: on.escape,
      slide: true,
    });
    new ResizeObserver(() => (select(...chosen), look(seen))).observe(table);
    return { ...made, anchor, select, look, rest: (at) => rest(cells.indexOf(anchor(at))) };

    function select(at, pinned) {
      chosen = [at, pinned];
      const [r, c] = at ?? [];
      element.classList.toggle("is-pinned", pinned);
      pick(element, !pinned || !at ? null : c === null ? names[r] : anchor(at));
      frame("line", ...(!at ? [] : c === null ? [names[r], cells[(r + 1) * width - 1]] : heads[c]));
      frame("cell", at && c !== null && anchor(at));
    }

    function look(at) {
      seen = at;
      frame("look", at && anchor(at));
    }

    function frame(name, from, to = from) {
      const box = (frames[name] ??= element.appendChild(document.createElement("div")));
      box.className = `heat-frame is-${name}`;
      box.hidden = !from;
      if (!from) return;
      const [left, top] = [from.offsetLeft, from.offsetTop];
      const [across, down] = [to.offsetLeft + to.offsetWidth - left, to.offsetTop + to.offsetHeight - top];
      box.style.cssText = `translate:${left}px ${top}px;width:${across}px;height:${down}px`;
    }
  }

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

/** Layer similarity: a grid of layers by layers, shaded from the least alike to 1; a measure at a time. */
import { extent, mean, scaleLinear } from "d3";
import { choice } from "../shared/choice.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { pointing } from "../shared/pointing.js";
import { readout } from "../shared/readout.js";
import { overGrid, roving } from "../shared/roving.js";
import { pick, selection } from "../shared/selection.js";
import { switcher } from "../shared/switch.js";
import { facts, tooltip } from "../shared/tooltip.js";

const NAMES = { cka: "CKA", svcca: "SVCCA", pwcca: "PWCCA" };
const ALL = 16; // layers that have room for all their names
const TICK = 5; // layers from one name to the next where there is less room

/**
 * Returns an element whose `value` is `{ row, column, measure, half, pinned }`: the cell (null while none is selected),
 * the measure that shades the grid, whether one half of it is left out. It emits `input` when that changes.
 * `options.value` restores it; `show({ layer })` is that of prose: a row, and its column.
 */
export default function layerSimilarity(data, { value, extent: shared = {} } = {}) {
  const { layers, columns, models, values, chance, n_tokens, kept, kept_columns } = data;
  const two = models.length > 1;
  const built = Object.keys(values);
  const root = element("div", "view");
  const sentence = readout();
  const grid = element("div", "matrix");
  const bar = element("div", "view-bar");
  const controls = element("div", "view-bar controls");
  let measure = built.includes(value?.measure) ? value.measure : built[0];
  let half = !two && value?.half === true;
  let ramp = element("div", "legend");
  root.className = "view";
  grid.setAttribute("role", "grid");
  grid.setAttribute("aria-label", "Similarity of layers");
  grid.style.setProperty("--columns", columns.length);
  const cells = [];
  layers.forEach((_, r) => {
    const row = line();
    row.append(head("rowheader", layers, r));
    columns.forEach(() => {
      const cell = element("div", "cell is-shaded");
      cell.setAttribute("role", "gridcell");
      cell.tabIndex = -1;
      row.append(cell);
      cells.push(cell);
    });
  });
  const foot = line();
  foot.append(head("gridcell", [""], 0), ...columns.map((_, c) => head("columnheader", columns, c)));
  if (built.length > 1) controls.append(choice("Measure", built.map((name) => [name, NAMES[name]]), measure, (name) => shade((measure = name)) || emit()).element);
  if (!two) controls.append(switcher("One half", half, (on) => halve((half = on)) || emit()));
  bar.append(ramp, hint("arrows move", "Enter pins", "Esc lets go"));
  root.append(sentence.element, grid, bar, controls);
  if (two) grid.before(Object.assign(element("p", "axes"), { textContent: `rows: ${models[0]}, columns: ${models[1]}` }));
  const tip = tooltip(root);

  const place = (index) => (index === null ? null : [Math.floor(index / columns.length), index % columns.length]);
  const inside = (number, list) => Number.isInteger(number) && number >= 0 && number < list.length;
  const restored = inside(value?.row, layers) && inside(value?.column, columns) ? [value.row, value.column] : null;
  let lent = null; // the layer that prose asks to show, for as long as it is pointed at
  const state = selection({ current: restored, pinned: Boolean(restored) && value.pinned !== false, changed });
  const walk = overGrid(layers.length, columns.length);
  const stops = roving(
    grid,
    cells,
    (index, event) => {
      const to = walk(index, event);
      return to === undefined || !hidden(place(to)) ? to : index;
    },
    (index) => state.step(place(index)),
  );
  pointing(grid, cells, {
    point: (index) => (state.pinned ? card(place(index)) : state.preview(place(index))),
    press(index) {
      stops.rest(index);
      state.toggle(place(index));
    },
    escape() {
      state.release();
      state.preview(null);
    },
    slide: true,
  });
  root.show = (part, { pin = false } = {}) => {
    const layer = inside(part?.layer, layers) ? part.layer : null;
    if (pin) lent = null;
    if (pin && layer !== null) return state.toggle([layer, Math.min(layer, columns.length - 1)]);
    lent = layer;
    draw();
  };
  shade();
  halve();
  return root;

  function hidden(at) {
    return half && at[1] > at[0];
  }

  function changed() {
    draw();
    emit();
  }

  function emit() {
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function shade() {
    const table = values[measure];
    const [least] = extent(table.flat());
    const low = Math.min(least, 1 - (shared[measure] ?? 1 - least)); // panels of a gallery share the longest scale
    const scale = scaleLinear([low, 1], [0, 1]);
    cells.forEach((cell, index) => {
      const [r, c] = place(index);
      cell.style.setProperty("--s", scale(table[r][c]).toFixed(3));
      cell.ariaLabel = minus(table[r][c]); // a shade cannot be heard
    });
    const next = legend(NAMES[measure], minus(low), "1").element;
    ramp.replaceWith(next);
    ramp = next;
    draw();
  }

  function halve() {
    cells.forEach((cell, index) => cell.classList.toggle("is-hidden", hidden(place(index))));
    const [r, c] = place(cells.findIndex((cell) => cell.tabIndex === 0));
    if (hidden([r, c])) stops.rest(c * columns.length + r); // what cannot be seen cannot be entered
    if (state.current && hidden(state.current)) state.step([...state.current].reverse());
    else draw();
  }

  function draw() {
    const at = lent === null ? state.current : [lent, Math.min(lent, columns.length - 1)];
    root.value = { row: state.current && state.current[0], column: state.current && state.current[1], measure, half, pinned: state.pinned };
    for (const marked of grid.querySelectorAll(".is-selected, .is-row, .is-column")) marked.classList.remove("is-selected", "is-row", "is-column");
    pick(grid, state.pinned && lent === null ? cells[at[0] * columns.length + at[1]] : null);
    if (!at) {
      card(null);
      return sentence.say([whole()], whole());
    }
    cells.forEach((cell, index) => {
      const [r, c] = place(index);
      cell.classList.toggle("is-row", r === lent);
      cell.classList.toggle("is-column", !two && c === lent);
    });
    if (lent === null) cells[at[0] * columns.length + at[1]].classList.add("is-selected");
    grid.children[at[0]].firstChild.classList.add("is-row");
    foot.children[at[1] + 1].classList.add("is-row");
    card(lent === null ? at : null);
    if (lent !== null) return sentence.say([alike(lent)], alike(lent));
    const text = `${pair(at)}: ${NAMES[measure]} ${minus(values[measure][at[0]][at[1]])}`;
    sentence.say([text], [text, ...correlated(at).map(([name, number]) => `${name} ${number}`)].join(", "), state.pinned);
  }

  /** What is to be seen while nothing is selected. */
  function whole() {
    const table = values[measure];
    const over = `over ${n_tokens} tokens; with tokens shuffled it would be ${minus(chance[measure])}`;
    if (two) return `How alike the layers of two models are, ${over}.`;
    const near = mean(table.slice(1), (row, i) => row[i]);
    return `How alike layers are, ${over}. Neighbours: ${minus(near)} on average.`;
  }

  /** Which layer is most like one of them. */
  function alike(layer) {
    const row = values[measure][layer];
    const order = row.map((_, c) => c).filter((c) => two || c !== layer).sort((a, b) => row[b] - row[a]);
    if (!order.length) return name(layers, layer);
    return `${name(layers, layer)} is most like ${name(columns, order[0], false)} (${minus(row[order[0]])}), least like ${name(columns, order.at(-1), false)} (${minus(row[order.at(-1)])})`;
  }

  function card(at) {
    grid.querySelector(".is-looked-at")?.classList.remove("is-looked-at");
    if (!at) return tip.hide();
    const [r, c] = at;
    const cell = cells[r * columns.length + c];
    const both = two ? [[models[0], name(layers, r, false)], [models[1], name(columns, c, false)]] : [["layers", `${layers[r]} and ${columns[c]}`]];
    cell.classList.add("is-looked-at");
    tip.show(cell, [facts([...both, ...built.map((key) => [NAMES[key], minus(values[key][r][c], 3)]), ...correlated(at)])], { beside: true });
  }

  /** How many directions of each layer a correlation is of. */
  function correlated([r, c]) {
    const directions = kept[r] === kept_columns[c] ? `${kept[r]}` : `${kept[r]} and ${kept_columns[c]}`;
    return built.some((key) => key !== "cka") ? [["directions", directions]] : [];
  }

  function pair([r, c]) {
    return two ? `${models[0]}, ${name(layers, r, false)} and ${models[1]}, ${name(columns, c, false)}` : `${name(layers, r)} and ${name(columns, c, false)}`;
  }

  function name(list, i, first = true) {
    const text = /^\d+$/.test(list[i]) ? `layer ${list[i]}` : `the ${list[i]}`;
    return first ? text[0].toUpperCase() + text.slice(1) : text;
  }

  function line() {
    const row = element("div", "line");
    row.setAttribute("role", "row");
    grid.append(row);
    return row;
  }

  /** A layer's name; only some are seen, all are there to read. */
  function head(role, names, i) {
    const th = element("div", "head");
    const last = names.length - 1;
    const seen = last < ALL || i === 0 || i === last || (i > TICK && i < last - 1 && Number(names[i]) % TICK === 0);
    const span = element("span", seen ? "" : "spoken");
    span.textContent = names[i];
    th.setAttribute("role", role);
    th.append(span);
    return th;
  }
}

function minus(number, digits = 2) {
  return number.toFixed(digits).replace("-", "−");
}

function element(tag, name) {
  const made = document.createElement(tag);
  made.className = name;
  return made;
}

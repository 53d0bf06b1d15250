/** Activations: every neuron of a layer's FFN at every token, on canvas, under the means of the clusters that fire alike. */
import { max, range } from "d3";
import { category } from "../shared/category.js";
import { choice } from "../shared/choice.js";
import { percent, whole } from "../shared/format.js";
import { heatmap } from "../shared/heatmap.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { pointing } from "../shared/pointing.js";
import { pinMark, readout } from "../shared/readout.js";
import { overGrid, roving } from "../shared/roving.js";
import { selection } from "../shared/selection.js";
import { switcher } from "../shared/switch.js";
import { quoted, spoken, textOf } from "../shared/text.js";
import { tooltip } from "../shared/tooltip.js";
import { plot } from "./plot.js";
import { arrange, fill, shade } from "./sheet.js";

const ORDERS = ["cluster", "index", "strength"];
const NOTHING = { cluster: null, position: null, neuron: null };
const WALK = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ZOOM = { "+": 2, "=": 2, "-": 0.5 };

/** Returns an element whose `value` is `{ layer, order, cluster, position, neuron, pinned }`, null where nothing is selected. */
export default function activations(data, { value, piece, extent = {} } = {}) {
  const { tokens, layers, first } = data;
  const texts = tokens.map(textOf);
  const sheets = layers.map((_, r) => (r ? {} : data.sheet));
  const root = document.createElement("div");
  const bar = document.createElement("div");
  const frame = document.createElement("div");
  const axis = document.createElement("canvas");
  const zoom = document.createElement("span");
  const sentence = readout();
  let row = Math.max(0, layers.findIndex(({ layer }) => layer === value?.layer)); // of `layers`: the one shown,
  let chosen = row; // and the reader's own
  let order = ORDERS.includes(value?.order) ? value.order : data.order;
  let negatives = false;
  let transient = null; // what prose points at
  let painted;
  const grid = heatmap({
    label: "Mean activation of each cluster at each token",
    corner: { above: "reads", below: "reads" },
    rows: layers[0].clusters.map(String),
    columns: texts.map((text) => ({ above: text, below: text })),
    cell: () => ({ text: "", shade: 0 }),
  });
  const line = grid.element.querySelector("tbody").insertRow();
  const cell = line.insertCell();
  line.prepend(document.createElement("th"));
  line.className = "plot";
  line.firstChild.append(axis);
  axis.role = "img";
  axis.ariaLabel = "neurons";
  cell.colSpan = tokens.length;
  cell.append(frame);
  frame.tabIndex = 0;
  frame.role = "application";
  frame.ariaLabel = "Neurons by tokens: arrows walk, plus and minus zoom";
  const picture = plot(frame, axis, first, columns, mark);
  const ramp = legend("activation, root scale", "", "");
  root.className = "view";
  zoom.className = "zoom";
  zoom.append(button("−", 0.5), button("+", 2));
  bar.className = "view-bar";
  if (layers[1]) bar.append(choice("Layer", layers.map(({ layer }, r) => [r, `${layer}`]), row, turn).element);
  bar.append(choice("Order", ORDERS.map((name) => [name, name]), order, (name) => (order = name) && show().then(emit)).element, zoom);
  bar.append(ramp.element, hint("arrows move", "+ − zoom", "Enter pins", "Esc lets go"), switcher("Show negatives too", false, (on) => show((negatives = on))));
  root.append(sentence.element, grid.element, bar);
  grid.element.toggleAttribute("data-thin", tokens.length > 30);
  const tip = tooltip(root);

  const state = selection({ current: known(value), pinned: known(value) !== null && value.pinned !== false, changed: () => (draw(), emit()) });
  const stops = roving(grid.element, grid.cells, overGrid(grid.names.length, tokens.length), (index) => state.step(mean(index)));
  pointing(grid.element, grid.cells, { point: (index) => look(index === null ? null : mean(index)), press: (index) => (stops.rest(index), state.toggle(mean(index))), escape });
  grid.names.forEach((name, r) => name.addEventListener("click", () => state.toggle({ ...NOTHING, cluster: r + 1 })));
  grid.heads.forEach((heads, position) => heads.forEach((head) => head.addEventListener("click", () => state.toggle({ ...NOTHING, position }))));
  picture.canvas.role = "img";
  picture.canvas.addEventListener("pointermove", (event) => event.pointerType !== "touch" && look(under(event)));
  picture.canvas.addEventListener("click", (event) => state.toggle(under(event)));
  frame.addEventListener("keydown", press);
  frame.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls
    event.preventDefault();
    picture.zoom(Math.exp(-event.deltaY / 200), event.offsetY / frame.clientHeight);
  });
  root.show = point;
  show();
  return root;

  function columns() {
    const { left } = frame.getBoundingClientRect();
    return grid.heads.map(([head]) => head.getBoundingClientRect()).map((box) => [box.left - left, box.width]);
  }

  function button(text, factor) {
    const element = document.createElement("button");
    element.textContent = text;
    element.ariaLabel = factor > 1 ? "Zoom in" : "Zoom out";
    element.addEventListener("click", () => picture.zoom(factor));
    return element;
  }

  /** Shows the layer, once its cells are there. */
  async function show() {
    const wanted = row;
    const sheet = sheets[row];
    const name = `layer-${layers[row].layer}`;
    painted = undefined;
    if (!sheet.values) draw();
    try {
      if (!sheet.roots) Object.assign(sheet, await piece(name));
      if (!sheet.values) fill(sheet, sheet, 1);
      if (negatives && !sheet.whole) fill(sheet, (sheet.whole = await piece(`${name}-rest`)), -1);
      painted = undefined;
      if (wanted === row) draw();
    } catch {
      sentence.say([`Layer ${layers[row].layer} could not be loaded.`], "");
    }
  }

  /** Paints the layer, other clusters than `isolated` faintly. */
  function paint(isolated) {
    const [sheet, { layer, n_neurons, scale, clusters }] = [sheets[row], layers[row]];
    grid.names.forEach((name, r) => {
      name.textContent = `${r ? "" : "cluster "}${r + 1} · ${whole(clusters[r].size)}`;
      name.style.setProperty("--group", category(r + 1));
    });
    grid.fill((r, t) => ({ text: "", shade: t < first ? 0 : sheet.profiles?.[r][t] / (max(sheet.profiles[r].slice(first)) || 1) || 0 }));
    grid.cells.forEach((cell, index) => {
      cell.classList.toggle("is-out", index % tokens.length < first);
      cell.ariaLabel = told(mean(index), spoken).join("");
    });
    frame.ariaBusy = !sheet.values;
    if (!sheet.values) return;
    painted = isolated;
    const end = extent[`layer ${layer}`] || scale || 1;
    ramp.element.children[1].textContent = negatives ? `≤ ${short(-end)}` : "0";
    ramp.element.classList.toggle("is-signed", negatives);
    ramp.set(`≥ ${short(end)}`);
    picture.canvas.ariaLabel = `Activations of ${n_neurons} neurons of layer ${layer}`;
    picture.set({ n: n_neurons, clusters: sheet.clusters, shades: shade(sheet, end, negatives, isolated), order: (sheet.rows = arrange(sheet, order, first)), by: order, negatives });
  }

  function turn(to) {
    chosen = row = to;
    escape(); // another layer has other clusters and other neurons
    show();
    emit();
  }

  function mean(index) {
    return { cluster: Math.floor(index / tokens.length) + 1, position: index % tokens.length, neuron: null };
  }

  function at(position, neuron) {
    return { cluster: sheets[row].clusters[neuron] || null, position, neuron };
  }

  function under(event) {
    return sheets[row].values ? at(...picture.at(event)) : null;
  }

  /** Returns a selection made of what exists, or null. */
  function known(part) {
    const among = (number, from, end) => (Number.isInteger(number) && number >= from && number < end ? number : null);
    const found = { cluster: among(part?.cluster, 1, grid.names.length + 1), position: among(part?.position ?? part?.token, 0, tokens.length), neuron: among(part?.neuron, 0, layers[row].n_neurons) };
    return Object.values(found).some((item) => item !== null) ? found : null;
  }

  /** Hover: while something is pinned, only the card tells of what is under the pointer. */
  function look(to) {
    if (state.pinned) card(to);
    else state.preview(to);
  }

  function escape() {
    state.release();
    state.preview(null);
  }

  /** Shows what prose names, a layer by its row; with `pin` pins it, or lets it go. */
  function point(part, { pin = false } = {}) {
    const turned = layers[part?.layer] ? part.layer : chosen;
    const to = known(part);
    if (part && !to && !layers[part.layer]) return;
    transient = pin ? null : to;
    if (pin && to) state.toggle(to);
    if (pin && turned !== chosen) turn(turned);
    else if (turned !== row) show((row = turned));
    else draw();
  }

  function press(event) {
    const { cluster, position, neuron } = state.current ?? NOTHING;
    const [key, step] = [event.key, WALK[event.key]];
    if (event.altKey || event.ctrlKey || event.metaKey || !sheets[row].values) return;
    if (ZOOM[key]) picture.zoom(ZOOM[key]);
    else if (key === "Enter") state.toggle({ cluster, position, neuron });
    else if (step) state.step(at(Math.min(Math.max((position ?? 0) + step[0], 0), tokens.length - 1), picture.reveal(neuron, step[1])));
    else return;
    event.preventDefault();
  }

  function emit() {
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function mark() {
    const { position, neuron } = transient ?? state.current ?? NOTHING;
    picture.mark(position, neuron);
  }

  function draw() {
    const now = transient ?? state.current ?? NOTHING;
    const { cluster, position, neuron } = now;
    root.value = { layer: layers[chosen].layer, order, ...(state.current ?? NOTHING), pinned: state.pinned };
    const isolated = neuron === null ? cluster : null;
    if (painted !== isolated) paint(isolated);
    grid.names.forEach((name, r) => name.classList.toggle("is-row", r + 1 === cluster));
    grid.heads.forEach((heads, t) => heads.forEach((head) => head.classList.toggle("is-column", t === position)));
    grid.cells.forEach((cell, index) => cell.classList.toggle("is-selected", index === (cluster - 1) * tokens.length + position && cluster && position !== null));
    if (sheets[row].values && neuron !== null) picture.reveal(neuron);
    if (sheets[row].values) mark();
    card(now);
    sentence.say([...told(now, quoted, true), ...(state.pinned ? [pinMark()] : [])], told(now, spoken, true).join(""));
  }

  /** Says what is selected, its tokens as `chip` writes them. */
  function told({ cluster, position, neuron }, chip, long) {
    const [{ layer, n_neurons, clusters }, { values, profiles }] = [layers[row], sheets[row]];
    const outside = position !== null && position < first ? ", outside the colour scale" : "";
    const where = position === null ? [] : [" at ", chip(texts[position]), ` position ${position}`];
    const amount = (i) => (values[position * n_neurons + i] > 0 || negatives ? short(values[position * n_neurons + i]) : "not positive");
    if (neuron !== null) return [`Neuron ${neuron} of layer ${layer}, ${cluster ? `cluster ${cluster}` : "in no cluster"}`, ...where, position !== null && values ? `: ${amount(neuron)}` : "", outside];
    if (cluster) {
      const { size, share, strongest } = clusters[cluster - 1];
      const best = [...new Set(strongest.map((t) => texts[t]))].slice(0, 3).flatMap((text) => [" ", chip(text)]);
      return [`Cluster ${cluster}`, ...where, profiles && position !== null ? `: mean ${short(profiles[cluster - 1][position])}${outside}` : "", ...(long ? [`. ${whole(size)} neurons, ${percent(share)}, strongest at`, ...best] : [])];
    }
    if (position === null) return [`${whole(n_neurons)} neurons of layer ${layer} at ${tokens.length} tokens, in clusters of those that fire alike. A row is a neuron, darker where it fires more strongly.`];
    const best = values && range(n_neurons).reduce((a, b) => (values[position * n_neurons + b] > values[position * n_neurons + a] ? b : a));
    return ["Layer ", `${layer}`, ...where, values ? `: strongest is neuron ${best}, ${amount(best)}` : "", outside];
  }

  function card(to) {
    const { cluster, position, neuron } = to ?? NOTHING;
    if (position === null || (!cluster && neuron === null)) return tip.hide();
    if (neuron !== null) picture.mark(position, neuron);
    tip.show(neuron === null ? grid.cells[(cluster - 1) * tokens.length + position] : picture.cell, told(to, quoted), { beside: true });
  }
}

/** Returns a number in three digits. */
function short(number) {
  return `${Number(number.toPrecision(3))}`.replace("-", "−");
}

/** Activations: every neuron of a layer's FFN at every token, on canvas, under the means of the clusters that fire alike. */
import { category } from "../shared/category.js";
import { choice } from "../shared/choice.js";
import { percent, whole } from "../shared/format.js";
import { heatmap } from "../shared/heatmap.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { pointing } from "../shared/pointing.js";
import { readout } from "../shared/readout.js";
import { pick, selection } from "../shared/selection.js";
import { switcher } from "../shared/switch.js";
import { quoted, spoken } from "../shared/text.js";
import { tooltip } from "../shared/tooltip.js";
import { plot } from "./plot.js";
import { arrange, fill, shade } from "./sheet.js";
import { columnsOf, merge } from "./words.js";

const ORDERS = ["cluster", "index", "strength"];
const NOTHING = { cluster: null, position: null, neuron: null };
const WALK = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ZOOM = { "+": 2, "=": 2, "-": 0.5 };

/** Returns an element whose `value` is `{ layer, order, cluster, position, neuron, negatives, words, pinned }`, null for what is not selected. */
export default function activations(data, { value, piece, extent = {} } = {}) {
  const { tokens, layers, first } = data;
  const sheets = layers.map((_, r) => (r ? {} : data.sheet));
  const [root, bar, buttons] = ["div", "div", "span"].map((tag) => document.createElement(tag));
  const sentence = readout();
  const asked = layers.findIndex(({ layer }) => layer === value?.layer);
  let row = Math.max(0, asked); // of `layers`: the one that is shown,
  let chosen = row; // and the reader's own
  let order = ORDERS.includes(value?.order) ? value.order : data.order;
  let negatives = value?.negatives === true;
  const mergeable = columnsOf(tokens, first, true).length < tokens.length;
  let words = mergeable && value?.words === true;
  let columns, columnAt; // tokens or words, and which of them is at each position
  let grid = { element: document.createElement("div") }; // their means
  let drawn; // the row's sheet, of these columns
  let transient = null; // what prose points at
  let shown; // the row that the table tells of
  let painted; // the cluster that is isolated in the plot; undefined: paint anew
  const groups = layers[0].clusters.length;
  const picture = plot(first, mark);
  const { canvas, frame } = picture;
  const ramp = legend("activation, root scale", "", "");
  const layer = choice("Layer", layers.map(({ layer }, r) => [r, `${layer}`]), row, turn);
  root.className = "view";
  bar.className = "view-bar";
  buttons.className = "zoom";
  for (const [name, text, factor] of [["Zoom out", "−", 0.5], ["Zoom in", "+", 2]]) {
    const button = Object.assign(document.createElement("button"), { ariaLabel: name, textContent: text });
    button.addEventListener("click", () => picture.zoom(factor));
    buttons.append(button);
  }
  if (layers[1]) bar.append(layer.element);
  bar.append(choice("Order", ORDERS.map((name) => [name, name]), order, (name) => (show((order = name)), emit())).element);
  bar.append(buttons, ramp.element, hint("arrows move", "+ − zoom", "Enter pins", "Esc lets go"));
  bar.append(switcher("Show negatives too", negatives, (on) => (show((negatives = on)), emit())));
  if (mergeable) bar.append(switcher("Merge into words", words, (on) => ((words = on), lay(), show(), emit())));
  root.append(sentence.element, grid.element, bar);
  const tip = tooltip(root);

  const restored = known(value) ?? (asked < 0 ? null : NOTHING);
  const state = selection({ current: restored, pinned: restored !== null && value.pinned !== false, changed: () => (draw(), emit()) });
  canvas.addEventListener("pointermove", (event) => event.pointerType !== "touch" && look(under(event)));
  canvas.addEventListener("click", (event) => press(under(event)));
  frame.addEventListener("keydown", walk);
  frame.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls
    event.preventDefault();
    picture.zoom(Math.exp(-event.deltaY / 200), event.offsetY / frame.clientHeight);
  });
  root.show = point;
  lay();
  show();
  return root;

  /** Makes the grid of tokens, or of words, and moves the plot into it: what is selected stays so, and where it is scrolled to. */
  function lay() {
    const one = words ? "word" : "token";
    const [{ element: before }, top] = [grid, frame.scrollTop];
    const share = before.scrollLeft / before.scrollWidth || 0;
    columns = columnsOf(tokens, first, words);
    columnAt = columns.flatMap(({ size }, c) => Array(size).fill(c));
    grid = heatmap({
      label: `Mean activation of each cluster at each ${one}`,
      corner: { above: "reads", below: "reads" },
      rows: Array(groups).fill(""),
      columns: columns.map(({ text }) => ({ above: text, below: text })),
      cell: () => ({ text: "", shade: 0 }),
    });
    grid.element.toggleAttribute("data-thin", columns.length > 30);
    grid.element.querySelector("tbody").append(picture.line);
    frame.parentElement.colSpan = columns.length;
    frame.ariaLabel = `Neurons by ${one}s: arrows walk, plus and minus zoom`;
    const stops = grid.walk({ step: (at) => state.step(mean(at)), press: (at) => press(mean(at)) });
    pointing(grid.element, grid.cells, {
      point: (index) => look(index === null ? null : mean(grid.place(index))),
      press: (index) => (stops.rest(index), press(mean(grid.place(index)))),
      escape,
      slide: true,
    });
    before.replaceWith(grid.element);
    grid.element.scrollLeft = share * grid.element.scrollWidth;
    frame.scrollTop = top;
    picture.repaint();
    stops.rest(Math.max(0, grid.cells.indexOf(cellOf(state.current ?? NOTHING))));
  }

  function cellOf({ cluster, position }) {
    return cluster && position !== null ? grid.cells[(cluster - 1) * columns.length + columnAt[position]] : null;
  }

  function join() {
    drawn = words ? merge(sheets[row], columns, first, negatives) : sheets[row];
  }

  /** Shows the layer, once its cells are there. */
  async function show() {
    const [wanted, sheet, name] = [row, sheets[row], `layer-${layers[row].layer}`];
    layer.set((shown = row));
    relabel();
    draw();
    try {
      if (!sheet.roots) Object.assign(sheet, await piece(name));
      if (!sheet.values) fill(sheet, sheet, 1);
      if (negatives && !sheet.whole) fill(sheet, (sheet.whole = await piece(`${name}-rest`)), -1);
      if (wanted !== row) return;
      if (sheet.by !== order) Object.assign(sheet, { by: order, order: arrange(sheet, order, first) });
      relabel();
      painted = undefined;
      draw();
      reveal();
    } catch {
      const sorry = `Layer ${layers[wanted].layer} could not be loaded.`;
      if (wanted === row) sentence.say([sorry], sorry);
    }
  }

  function relabel() {
    join();
    const [{ values, profiles }, { clusters }] = [drawn, layers[row]];
    frame.ariaBusy = !values;
    grid.names.forEach((name, r) => {
      name.textContent = `${r ? "" : "cluster "}${r + 1} · ${whole(clusters[r].size)}`;
      name.style.setProperty("--group", category(r + 1));
    });
    const tops = sheets[row].profiles?.map((profile) => Math.max(...profile.slice(first)) || 1);
    const label = (r, c) => told(mean([r, c]), spoken).join("");
    grid.fill((r, c) => ({ text: "", shade: tops && c >= first ? profiles[r][c] / tops[r] : 0, label: label(r, c) }));
    grid.cells.forEach((cell, index) => cell.classList.toggle("is-out", index % columns.length < first));
  }

  function paint(isolated) {
    const { layer, n_neurons: n, scale } = layers[row];
    const end = extent[`layer ${layer}`] || scale || 1;
    painted = isolated;
    ramp.element.children[1].textContent = negatives ? `≤ ${short(-end)}` : "0";
    ramp.element.classList.toggle("is-signed", negatives);
    ramp.set(`≥ ${short(end)}`);
    canvas.ariaLabel = `Activations of ${n} neurons of layer ${layer}`;
    picture.set({ ...drawn, n, negatives, shades: shade(drawn, end, negatives, isolated) });
  }

  function turn(to) {
    chosen = row = to;
    join();
    escape(); // another layer has other clusters and other neurons
    show();
    emit();
  }

  /** Returns what a cell of the means stands for, `[r, c]`, or a name with one of them null. */
  function mean([r, c]) {
    return { cluster: r === null ? null : r + 1, position: c === null ? null : columns[c].start, neuron: null };
  }

  function at(c, neuron) {
    return { cluster: sheets[row].clusters[neuron] || null, position: columns[c].start, neuron };
  }

  function under(event) {
    return sheets[row].values ? at(...picture.at(event)) : null;
  }

  /** Returns a selection made of what exists, or null. */
  function known(part) {
    const among = (number, from, end) => (Number.isInteger(number) && number >= from && number < end ? number : null);
    const found = { cluster: among(part?.cluster, 1, groups + 1), position: among(part?.position ?? part?.token, 0, tokens.length), neuron: among(part?.neuron, 0, layers[row].n_neurons) };
    return Object.values(found).some((item) => item !== null) ? found : null;
  }

  /** Hover: while something is pinned, only the card tells of what is under the pointer. */
  function look(to) {
    if (state.pinned) card(to ?? NOTHING);
    else state.preview(to);
  }

  function press(to) {
    state.toggle(to, (item) => item && { ...item, position: columnAt[item.position] });
  }

  function escape() {
    state.release();
    state.preview(null);
  }

  /** Shows what prose names, a layer by its row; with `pin` pins it, or lets it go. */
  function point(part, { pin = false } = {}) {
    const to = known(part) ?? (layers[part?.layer] ? NOTHING : null);
    if (part && !to) return;
    transient = pin ? null : to;
    row = layers[part?.layer] ? part.layer : chosen;
    if (pin && row !== chosen) turn(row);
    else if (shown !== row) show();
    if (pin && to) press(to);
    else draw();
    reveal();
  }

  function walk(event) {
    const { position, neuron } = state.current ?? NOTHING;
    const [key, step] = [event.key, WALK[event.key]];
    if (event.altKey || event.ctrlKey || event.metaKey || !sheets[row].values) return;
    if (ZOOM[key]) picture.zoom(ZOOM[key]);
    else if (key === "Enter" && state.current) state.toggle(state.current);
    else if (step) state.step(at(Math.min(Math.max((columnAt[position] ?? 0) + step[0], 0), columns.length - 1), picture.reveal(neuron, step[1])));
    else return;
    event.preventDefault();
  }

  function emit() {
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function mark() {
    const { position, neuron } = transient ?? state.current ?? NOTHING;
    picture.mark(columnAt[position], neuron);
  }

  /** Scrolls to the neuron that prose, a link or keys lead to: under a pointer the rows stay where they are. */
  function reveal() {
    const { neuron } = transient ?? state.current ?? NOTHING;
    if (sheets[row].order && neuron !== null) picture.reveal(neuron);
  }

  function draw() {
    const now = transient ?? state.current ?? NOTHING;
    const { cluster, position, neuron } = now;
    const isolated = neuron === null ? cluster : null;
    root.value = { layer: layers[chosen].layer, order, ...(state.current ?? NOTHING), negatives, words, pinned: state.pinned };
    grid.names.forEach((name, r) => name.classList.toggle("is-row", r + 1 === cluster));
    grid.heads.forEach((heads, c) => heads.forEach((head) => head.classList.toggle("is-column", c === columnAt[position])));
    grid.element.querySelector(".is-selected")?.classList.remove("is-selected");
    const here = cellOf(now);
    here?.classList.add("is-selected");
    pick(grid.element, !state.pinned || transient || neuron !== null ? null : (here ?? grid.names[cluster - 1] ?? grid.heads[columnAt[position]]?.[0]));
    if (sheets[row].order && painted !== isolated) paint(isolated);
    card(now);
    sentence.say(told(now, quoted, true), told(now, spoken, true).join(""), state.pinned);
  }

  /** Says what is selected, its tokens as `chip` writes them, and at `length` what its cluster is. */
  function told({ cluster, position, neuron }, chip, length) {
    const [{ layer, n_neurons: n, clusters }, { values, profiles, clusters: labels, strongest }] = [layers[row], drawn];
    const [group, c] = [clusters[cluster - 1], columnAt[position]];
    const { start, size, text } = columns[c] ?? {};
    const here = position !== null && values ? values.subarray(c * n, (c + 1) * n) : null;
    let [who, what] = [`Layer ${layer}`, () => `strongest is neuron ${here.indexOf(Math.max(...here))}, ${short(Math.max(...here))}`];
    if (neuron !== null) [who, what] = [`Neuron ${neuron} of layer ${layer}, cluster ${labels?.[neuron] || "none"}`, () => (here[neuron] > 0 || negatives ? short(here[neuron]) : "not positive")];
    else if (group) [who, what] = [`Cluster ${cluster}`, () => `mean ${short(profiles[cluster - 1][c])}`];
    else if (position === null) return [`${whole(n)} neurons of layer ${layer} at ${tokens.length} tokens, in clusters of those that fire alike. A row is a neuron, its colour how strongly it fires.${words ? " A word of several tokens has their mean." : ""}`];
    const said = [who];
    if (c !== undefined) said.push(" at ", chip(text), size > 1 ? ` positions ${start}–${start + size - 1}, averaged` : ` position ${start}`);
    if (here) said.push(`: ${what()}`, c < first ? ", outside the colour scale" : "");
    if (length && group && neuron === null) {
      const best = [...new Set((strongest?.[cluster - 1] ?? group.strongest.map((t) => columnAt[t])).map((i) => columns[i].text))].slice(0, 3);
      said.push(`. ${whole(group.size)} neurons, ${percent(group.share)}, strongest at`, ...best.flatMap((text) => [" ", chip(text)]));
    }
    return said;
  }

  function card(to) {
    const { cluster, position, neuron } = to;
    if (sheets[row].order && neuron !== null) picture.mark(columnAt[position], neuron);
    else if (sheets[row].order) mark(); // what is pinned, once the pointer has left
    if (position === null || !(cluster || neuron !== null)) return tip.hide();
    tip.show(neuron === null ? cellOf(to) : picture.cell, told(to, quoted), { beside: true });
  }
}

/** Returns a number in three digits. */
function short(number) {
  return `${Number(number.toPrecision(3))}`.replace("-", "−");
}

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
  const [root, bar, frame, axis, buttons] = ["div", "div", "div", "canvas", "span"].map((tag) => document.createElement(tag));
  const sentence = readout();
  const asked = layers.findIndex(({ layer }) => layer === value?.layer);
  let row = Math.max(0, asked); // of `layers`: the one that is shown,
  let chosen = row; // and the reader's own
  let order = ORDERS.includes(value?.order) ? value.order : data.order;
  let negatives = false;
  let transient = null; // what prose points at
  let shown; // the row that the table tells of
  let painted; // the cluster that is isolated in the plot; undefined: paint anew
  const groups = layers[0].clusters.length;
  const grid = heatmap({
    label: "Mean activation of each cluster at each token",
    corner: { above: "reads", below: "reads" },
    rows: Array(groups).fill(""),
    columns: texts.map((text) => ({ above: text, below: text })),
    cell: () => ({ text: "", shade: 0 }),
  });
  const line = grid.element.querySelector("tbody").insertRow();
  line.className = "plot";
  line.append(document.createElement("th"), document.createElement("td"));
  line.firstChild.append(axis);
  line.lastChild.append(frame);
  line.lastChild.colSpan = tokens.length;
  Object.assign(axis, { role: "img", ariaLabel: "neurons" });
  Object.assign(frame, { role: "application", tabIndex: 0, ariaLabel: "Neurons by tokens: arrows walk, plus and minus zoom" });
  const picture = plot(frame, axis, first, mark, () =>
    grid.heads.map(([head]) => head.getBoundingClientRect()).map(({ left, width }) => [left - frame.getBoundingClientRect().left, width]),
  );
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
  bar.append(switcher("Show negatives too", false, (on) => show((negatives = on))));
  root.append(sentence.element, grid.element, bar);
  grid.element.toggleAttribute("data-thin", tokens.length > 30);
  const tip = tooltip(root);

  const restored = known(value) ?? (asked < 0 ? null : NOTHING);
  const state = selection({ current: restored, pinned: restored !== null && value.pinned !== false, changed: () => (draw(), emit()) });
  const stops = grid.walk({ step: (at) => state.step(mean(at)), press: (at) => state.toggle(mean(at)) });
  pointing(grid.element, grid.cells, {
    point: (index) => look(index === null ? null : mean(grid.place(index))),
    press: (index) => (stops.rest(index), state.toggle(mean(grid.place(index)))),
    escape,
    slide: true,
  });
  picture.canvas.role = "img";
  picture.canvas.addEventListener("pointermove", (event) => event.pointerType !== "touch" && look(under(event)));
  picture.canvas.addEventListener("click", (event) => state.toggle(under(event)));
  frame.addEventListener("keydown", walk);
  frame.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls
    event.preventDefault();
    picture.zoom(Math.exp(-event.deltaY / 200), event.offsetY / frame.clientHeight);
  });
  root.show = point;
  show();
  return root;

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
    const [{ values, profiles }, { clusters }] = [sheets[row], layers[row]];
    frame.ariaBusy = !values;
    grid.names.forEach((name, r) => {
      name.textContent = `${r ? "" : "cluster "}${r + 1} · ${whole(clusters[r].size)}`;
      name.style.setProperty("--group", category(r + 1));
    });
    const tops = profiles?.map((profile) => Math.max(...profile.slice(first)) || 1);
    const label = (r, t) => told(mean([r, t]), spoken).join("");
    grid.fill((r, t) => ({ text: "", shade: tops && t >= first ? profiles[r][t] / tops[r] : 0, label: label(r, t) }));
    grid.cells.forEach((cell, index) => cell.classList.toggle("is-out", index % tokens.length < first));
  }

  function paint(isolated) {
    const [sheet, { layer, n_neurons: n, scale }] = [sheets[row], layers[row]];
    const end = extent[`layer ${layer}`] || scale || 1;
    painted = isolated;
    ramp.element.children[1].textContent = negatives ? `≤ ${short(-end)}` : "0";
    ramp.element.classList.toggle("is-signed", negatives);
    ramp.set(`≥ ${short(end)}`);
    picture.canvas.ariaLabel = `Activations of ${n} neurons of layer ${layer}`;
    picture.set({ ...sheet, n, negatives, shades: shade(sheet, end, negatives, isolated) });
  }

  function turn(to) {
    chosen = row = to;
    escape(); // another layer has other clusters and other neurons
    show();
    emit();
  }

  /** Returns what a cell of the means stands for, `[r, t]`, or a name with one of them null. */
  function mean([r, t]) {
    return { cluster: r === null ? null : r + 1, position: t, neuron: null };
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
    const found = { cluster: among(part?.cluster, 1, groups + 1), position: among(part?.position ?? part?.token, 0, tokens.length), neuron: among(part?.neuron, 0, layers[row].n_neurons) };
    return Object.values(found).some((item) => item !== null) ? found : null;
  }

  /** Hover: while something is pinned, only the card tells of what is under the pointer. */
  function look(to) {
    if (state.pinned) card(to ?? NOTHING);
    else state.preview(to);
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
    if (pin && to) state.toggle(to);
    else draw();
    reveal();
  }

  function walk(event) {
    const { position, neuron } = state.current ?? NOTHING;
    const [key, step] = [event.key, WALK[event.key]];
    if (event.altKey || event.ctrlKey || event.metaKey || !sheets[row].values) return;
    if (ZOOM[key]) picture.zoom(ZOOM[key]);
    else if (key === "Enter" && state.current) state.toggle(state.current);
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

  /** Scrolls to the neuron that prose, a link or keys lead to: under a pointer the rows stay where they are. */
  function reveal() {
    const { neuron } = transient ?? state.current ?? NOTHING;
    if (sheets[row].order && neuron !== null) picture.reveal(neuron);
  }

  function draw() {
    const now = transient ?? state.current ?? NOTHING;
    const { cluster, position, neuron } = now;
    const isolated = neuron === null ? cluster : null;
    root.value = { layer: layers[chosen].layer, order, ...(state.current ?? NOTHING), pinned: state.pinned };
    grid.names.forEach((name, r) => name.classList.toggle("is-row", r + 1 === cluster));
    grid.heads.forEach((heads, t) => heads.forEach((head) => head.classList.toggle("is-column", t === position)));
    grid.element.querySelector(".is-selected")?.classList.remove("is-selected");
    const here = cluster && position !== null ? grid.cells[(cluster - 1) * tokens.length + position] : null;
    here?.classList.add("is-selected");
    pick(grid.element, !state.pinned || transient || neuron !== null ? null : (here ?? grid.names[cluster - 1] ?? grid.heads[position]?.[0]));
    if (sheets[row].order && painted !== isolated) paint(isolated);
    card(now);
    sentence.say(told(now, quoted, true), told(now, spoken, true).join(""), state.pinned);
  }

  /** Says what is selected, its tokens as `chip` writes them, and at `length` what its cluster is. */
  function told({ cluster, position, neuron }, chip, length) {
    const [{ layer, n_neurons: n, clusters }, { values, profiles, clusters: labels }] = [layers[row], sheets[row]];
    const group = clusters[cluster - 1];
    const here = position !== null && values ? values.subarray(position * n, (position + 1) * n) : null;
    let [who, what] = [`Layer ${layer}`, () => `strongest is neuron ${here.indexOf(Math.max(...here))}, ${short(Math.max(...here))}`];
    if (neuron !== null) [who, what] = [`Neuron ${neuron} of layer ${layer}, cluster ${labels?.[neuron] || "none"}`, () => (here[neuron] > 0 || negatives ? short(here[neuron]) : "not positive")];
    else if (group) [who, what] = [`Cluster ${cluster}`, () => `mean ${short(profiles[cluster - 1][position])}`];
    else if (position === null) return [`${whole(n)} neurons of layer ${layer} at ${tokens.length} tokens, in clusters of those that fire alike. A row is a neuron, its colour how strongly it fires.`];
    const words = [who];
    if (position !== null) words.push(" at ", chip(texts[position]), ` position ${position}`);
    if (here) words.push(`: ${what()}`, position < first ? ", outside the colour scale" : "");
    if (length && group && neuron === null) {
      const best = [...new Set(group.strongest.map((t) => texts[t]))].slice(0, 3);
      words.push(`. ${whole(group.size)} neurons, ${percent(group.share)}, strongest at`, ...best.flatMap((text) => [" ", chip(text)]));
    }
    return words;
  }

  function card(to) {
    const { cluster, position, neuron } = to;
    if (sheets[row].order && neuron !== null) picture.mark(position, neuron);
    else if (sheets[row].order) mark(); // what is pinned, once the pointer has left
    if (position === null || !(cluster || neuron !== null)) return tip.hide();
    tip.show(neuron === null ? grid.cells[(cluster - 1) * tokens.length + position] : picture.cell, told(to, quoted), { beside: true });
  }
}

/** Returns a number in three digits. */
function short(number) {
  return `${Number(number.toPrecision(3))}`.replace("-", "−");
}

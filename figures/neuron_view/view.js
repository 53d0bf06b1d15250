/** Neuron view: a token's query meets the keys of the others, number by number; attention and the head's output follow. */
import { range, sort } from "d3";
import { onRepaint } from "../shared/canvas.js";
import { category } from "../shared/category.js";
import { choice } from "../shared/choice.js";
import { percent } from "../shared/format.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { pointing } from "../shared/pointing.js";
import { pinMark, readout } from "../shared/readout.js";
import { alongLine, roving } from "../shared/roving.js";
import { selection } from "../shared/selection.js";
import { switcher } from "../shared/switch.js";
import { quoted, spoken, textOf } from "../shared/text.js";
import { columns, make, short } from "./columns.js";
import { attend, parts, readHead, unpack } from "./head.js";

const ORDERS = { index: "as they are", score: "by part in the scores", distance: "by change with distance" };

/**
 * Returns an element whose `value` is `{ part, layer, head, token, key, neuron, order, expanded, pinned }`: `token` looks at
 * `key`, both positions, and `neuron` is a number of query and key, or `v13` of the value; null where nothing is selected.
 */
export default function neuronView(data, { value, piece } = {}) {
  const { tokens, layers, parts: places } = data;
  const texts = tokens.map(textOf);
  const known = new Map(); // vectors of heads and states of layers
  let glimpse = null; // what prose points at, or while something is pinned the pointer
  let order = Object.hasOwn(ORDERS, value?.order) ? value.order : data.order;
  let expanded = typeof value?.expanded === "boolean" ? value.expanded : data.expanded;
  let table, stops, head, made, silent; // of what is shown

  const root = make("div", "view");
  const sentence = readout();
  const first = { ...data.shown, key: null, neuron: null };
  const list = (...names) => sort(new Set(names.flat()));
  const all = Object.values(layers).flat();
  const options = { part: Object.keys(layers), layer: list(all.map(({ layer }) => layer)), head: list(all.flatMap(headsOf)), neurons: Object.keys(ORDERS) };
  const menus = Object.entries(options).map(([name, items]) => {
    const menu = choice(name[0].toUpperCase() + name.slice(1), items.map((item) => [item, ORDERS[item] ?? `${item}`]), null, (item) => choose(name, item));
    menu.element.hidden = items.length < 2;
    return [name, menu];
  });
  const unfold = switcher("Expanded", expanded, (on) => set(() => (expanded = on)));
  const ramp = legend("Strips, each by its own scale", "−", "+");
  const keys = hint("↑ ↓ token", "← → neuron", "Shift+↑ ↓ key", "Enter pins", "Esc lets go");
  root.append(sentence.element, make("div", "view-bar", ...menus.map(([, menu]) => menu.element), ramp.element, keys, unfold));
  known.set(nameOf(first), readHead(data.head, 0, layerOf(first))).set(`${first.part}.${first.layer}`, readStates(data.states));
  const restored = value?.token === undefined ? null : itemOf(value, first);
  const state = selection({ current: restored ?? first, pinned: Boolean(restored) && value.pinned !== false, changed });
  onRepaint(paint);
  draw();
  return Object.assign(root, { show, follow });

  function layerOf({ part, layer }) {
    return layers[part]?.find?.((one) => one.layer === layer);
  }

  function headsOf({ groups }) {
    return Object.values(groups).flat();
  }

  function nameOf({ part, layer, head }) {
    return `${part}.${layer}.${head}`;
  }

  function readStates(states) {
    return states && { ...states, before: { ...states.before, values: unpack(states.before) }, after: { ...states.after, values: unpack(states.after) } };
  }

  /** Returns what is named, as a selection, or null where there is no such thing; what is left out is as in `base`. */
  function itemOf(named, base = state.current) {
    const item = { ...first };
    for (const name of ["part", "layer", "head", "token"]) item[name] = named[name] ?? base[name];
    const there = (number, [from, to]) => Number.isInteger(number) && number >= from && number < to;
    const one = layerOf(item);
    if (!one || !headsOf(one).includes(item.head) || !there(item.token, places[item.part].queries)) return null;
    const [, mark, digits] = /^(v?)(\d+)$/.exec(named.neuron) ?? [];
    if (there(named.key, places[item.part].keys)) item.key = named.key;
    if (digits && there(Number(digits), [0, data.head[mark ? "value" : "query"].shape.at(-1)])) item.neuron = mark ? named.neuron : Number(digits);
    return item;
  }

  function changed() {
    glimpse = null;
    draw();
    if (!silent) root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function set(change) {
    change();
    made = null;
    changed();
  }

  /** Another head or layer; of another part, those and a token that are there. */
  function choose(name, item) {
    if (name === "neurons") return set(() => (order = item));
    const wanted = { ...state.current, [name]: item };
    const one = layerOf(wanted) ?? layers[wanted.part][0];
    const near = { ...wanted, layer: one.layer, head: headsOf(one)[0] };
    const last = places[wanted.part].queries[1] - 1;
    state.step(itemOf(wanted) ?? itemOf({ ...near, head: wanted.head }) ?? itemOf(near) ?? itemOf({ ...near, token: last, key: null }));
  }

  /** Fetches what a head's figure needs, and shows it. */
  async function load(wanted) {
    const [name, held] = [nameOf(wanted), `${wanted.part}.${wanted.layer}`];
    const one = layerOf(wanted);
    const [number, own] = Object.entries(one.groups).find(([, own]) => own.includes(wanted.head));
    const path = `${wanted.part}-${wanted.layer}-`;
    try {
      if (!known.has(name)) known.set(name, readHead(await piece(path + number), own.indexOf(wanted.head), one));
      if (!known.has(held)) known.set(held, readStates(data.states && wanted.part === first.part ? await piece(`${path}states`) : null));
      if (name === nameOf(glimpse ?? state.current)) draw();
    } catch {
      sentence.say([`Layer ${wanted.layer}, head ${wanted.head} could not be loaded.`], "");
    }
  }

  function build(part) {
    const next = columns(tokens, places[part], Boolean(data.states));
    if (table) table.element.replaceWith(next.element);
    else sentence.element.after(next.element);
    table = Object.assign(next, { part });
    stops = roving(next.list, next.items, walk, (i) => state.step({ ...state.current, token: places[part].queries[0] + i }));
    pointing(next.list, next.items, {
      point: (i) => look(i === null ? null : at(i)),
      press: (i) => (stops.rest(i), state.toggle(at(i))),
      escape: () => (look(null), state.release()),
    });
    next.list.addEventListener("keydown", across);
    next.scroller.addEventListener("pointermove", (event) => event.pointerType === "touch" || next.list.contains(event.target) || look(under(event)));
    next.scroller.addEventListener("pointerleave", () => look(null));
    next.scroller.addEventListener("click", (event) => {
      const found = next.list.contains(event.target) ? null : under(event);
      if (found) state.toggle(found);
    });
    new ResizeObserver(paint).observe(next.scroller);
  }

  function at(i) {
    const token = places[state.current.part].queries[0] + i;
    return token === state.current.token ? state.current : { ...state.current, token, key: null, neuron: null };
  }

  function walk(i, event) {
    if (event.shiftKey || (expanded && /^Arrow[LR]/.test(event.key))) return undefined;
    return alongLine(table.items.length)(i, { key: { ArrowUp: "ArrowLeft", ArrowDown: "ArrowRight" }[event.key] ?? event.key });
  }

  /** Left and right walk the neurons in the order that is shown, up and down with Shift the keys. */
  function across(event) {
    const { key, neuron, part } = state.current;
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[event.key];
    const sideways = /^Arrow[LR]/.test(event.key);
    if (!by || !made || event.altKey || event.metaKey || event.ctrlKey || (sideways ? !expanded : !event.shiftKey)) return;
    event.preventDefault();
    const [from, to] = sideways ? [0, head.width] : places[part].keys;
    const among = (number) => Math.min(Math.max(number, from), to - 1);
    if (sideways) state.step({ ...state.current, neuron: made.order[among(made.order.indexOf(neuron) + by)] });
    else state.step({ ...state.current, key: key === null ? from + made.strongest[0] : among(key + by) });
  }

  /** Returns what is under the pointer: of the token that is shown a key, a neuron, or both. */
  function under({ target, clientX, clientY }) {
    const column = target.closest("[data-column]");
    const name = column?.dataset.column;
    if (!made || !name || name === "lines" || name === "from") return null;
    const { left } = column.lastChild.getBoundingClientRect();
    const strip = column.querySelector(".body").getBoundingClientRect();
    const r = target.closest(".body") ? Math.floor((clientY - strip.top) / table.row) : -1;
    const j = Math.floor((clientX - strip.left) / table.cell[name === "v" ? "v" : "k"]);
    const neuron = name === "v" ? `v${j}` : /[kp]/.test(name) ? made.order[j] : null;
    const found = itemOf({ ...state.current, key: r < 0 ? null : places[table.part].keys[0] + r, neuron });
    return found.key === null && found.neuron === null ? null : found;
  }

  /** Hover: follows the pointer; while something is pinned, what is under it is shown until it leaves. */
  function look(to) {
    if (!state.pinned) return state.preview(to ?? { ...state.current, key: null, neuron: null });
    const next = to?.token === state.current.token ? to : null;
    if (JSON.stringify(next) === JSON.stringify(glimpse)) return;
    glimpse = next;
    draw();
  }

  /** Shows what prose names: a token, a neuron, or a head such as `self.5.1`; with `pin` pins it, or lets it go. */
  function show(named, { pin = false } = {}) {
    const [part, layer, head] = `${named?.head ?? ""}`.split(".");
    const to = head ? { part, layer: Number(layer), head: Number(head) } : named;
    const found = to && ["head", "token", "neuron"].some((name) => to[name] !== undefined) ? itemOf(to) : null;
    if (pin && found) return state.toggle(found);
    glimpse = found;
    draw();
  }

  /** Shows the head and the token that another figure shows, where they are built; nothing is pinned or told for it. */
  function follow({ part, layer, head, token }) {
    silent = true;
    state.step(itemOf({ part, layer, head, token }) ?? itemOf({ part, layer, head }) ?? itemOf({ token }) ?? state.current);
    silent = false;
  }

  function paint() {
    const { part, layer } = glimpse ?? state.current;
    if (made && table.scroller.clientWidth) table.paint(head, made, known.get(`${part}.${layer}`));
    mark();
  }

  function mark() {
    const { key, neuron, part } = glimpse ?? state.current;
    const value = typeof neuron === "string";
    table.mark(made && neuron !== null && !value ? made.order.indexOf(neuron) : null, value ? Number(neuron.slice(1)) : null, key === null ? null : key - places[part].keys[0]);
  }

  function draw() {
    const now = glimpse ?? state.current;
    const { queries, keys, causal, windows, layers: numbers } = places[now.part];
    root.value = { ...state.current, order, expanded, pinned: state.pinned };
    root.dataset.expanded = expanded;
    root.style.setProperty("--hue", category(now.head + 1));
    if (table?.part !== now.part) build(now.part);
    for (const [name, menu] of menus) menu.set(now[name] ?? order);
    const q = now.token - queries[0];
    const name = nameOf(now);
    head = known.get(name);
    table.scroller.ariaBusy = !head;
    if (!head || !known.has(`${now.part}.${now.layer}`)) load(now);
    if (!head) made = null;
    else if (made?.of !== `${name}.${q}`) {
      const window = windows[numbers.indexOf(now.layer)] ?? Infinity;
      const behind = (k) => now.token - keys[0] - k;
      made = attend(head, q, (_, k) => !causal || (behind(k) >= 0 && behind(k) < window));
      const all = range(head.keys).filter((k) => made.seen[k]);
      const among = causal && all.length > 3 ? all.filter(Boolean) : all; // the first takes attention whatever it is
      const by = parts(made, head, among, order === "distance" ? among.map((k) => -Math.abs(behind(k))) : null);
      Object.assign(made, { of: `${name}.${q}`, parts: by, strongest: sort(all, (k) => -made.weights[k]) });
      made.order = order === "index" ? range(head.width) : sort(range(head.width), (j) => -Math.abs(by[j]));
      paint();
    }
    table.items.forEach((item, i) => {
      item.classList.toggle("is-selected", i === q);
      item.ariaPressed = i === q && state.pinned;
    });
    if (!table.list.contains(document.activeElement)) stops.rest(q);
    mark();
    const pin = state.pinned && !glimpse;
    sentence.say([...tell(now, quoted), ...(pin ? [pinMark()] : [])], `${tell(now, spoken).join("")}${pin ? " Pinned." : ""}`);
  }

  /** Returns the sentence on a selection; `chip` writes the texts of tokens. */
  function tell({ layer, head: h, token, key, neuron }, chip) {
    const who = chip(texts[token]);
    const k = key === null ? null : key - places[table.part].keys[0];
    const where = k === null ? [] : [" at ", chip(texts[key])];
    if (!made) return [who, ` at position ${token}: layer ${layer}, head ${h} is on its way.`];
    if (typeof neuron === "string") {
      const j = Number(neuron.slice(1));
      const value = k === null ? 0 : head.value[k * head.size + j];
      const here = k === null ? [] : [`weight ${percent(made.weights[k])} × v ${short(value)} = ${short(made.weights[k] * value)}`, ...where, ", of "];
      return [`Value neuron ${j}: `, ...here, `${short(made.output[j])} in the output for `, who, "."];
    }
    if (neuron !== null) {
      const [a, b, part] = [made.query[neuron], k === null ? 0 : head.key[k * head.width + neuron], made.parts[neuron]];
      const here = k === null ? [] : [` × k ${short(b)} = ${short(a * b)}`, ...where, `, of q·k ${short(made.dots[k])}`];
      const role = order === "distance" ? `changes the score by ${short(part)} a token nearer` : `makes ${part < 0 ? "−" : ""}${percent(Math.abs(part))} of the differences between scores`;
      return [`Neuron ${neuron}: q ${short(a)}`, ...here, " for ", who, `. It ${role}.`];
    }
    if (k === null) {
      const most = made.strongest.slice(0, 3).flatMap((k) => [", ", chip(texts[k + places[table.part].keys[0]]), ` ${percent(made.weights[k])}`]);
      return [who, ` at position ${token} looks at `, ...most.slice(1), ` in layer ${layer}, head ${h}.`];
    }
    if (!made.seen[k]) return [who, " does not see ", chip(texts[key]), ` at position ${key}.`];
    return [who, ...where, `: q·k ${short(made.dots[k])}, scaled ${short(made.scores[k])}, softmax ${percent(made.weights[k])}; value’s length ${short(made.lengths[k])}, weighted ${short(made.shares[k])}.`];
  }
}

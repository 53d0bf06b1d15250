/** Neuron view: a token's query meets the keys of the others, number by number; attention and the head's output follow. */
import { range, sort } from "d3";
import { onRepaint } from "../shared/canvas.js";
import { category } from "../shared/category.js";
import { choice } from "../shared/choice.js";
import { percent } from "../shared/format.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { pointing } from "../shared/pointing.js";
import { readout } from "../shared/readout.js";
import { roving } from "../shared/roving.js";
import { selection } from "../shared/selection.js";
import { switcher } from "../shared/switch.js";
import { quoted, spoken, textOf } from "../shared/text.js";
import { attend, parts, readHead } from "../shared/vectors.js";
import { columns, make, short } from "./columns.js";

const ORDERS = { index: "as they are", score: "by part in the scores", distance: "by change with distance" };

/**
 * Returns an element whose `value` is `{ part, layer, head, token, key, neuron, order, expanded, pinned }`: `token` looks at
 * `key`, both positions; key and neuron are null where none is selected.
 */
export default function neuronView(data, { value, piece } = {}) {
  const { tokens, layers, parts: places } = data;
  const texts = tokens.map(textOf);
  const layerOf = ({ part, layer }) => layers[part]?.find?.((one) => one.layer === layer);
  const headsOf = ({ groups }) => Object.values(groups).flat();
  const pathOf = ({ part, layer }) => `${part}-${layer}`;
  const nameOf = (item) => `${pathOf(item)} ${item.head}`;
  const known = {}; // vectors of heads, and states around layers
  let glimpse = null; // what prose points at, or while something is pinned the pointer
  let order = Object.hasOwn(ORDERS, value?.order) ? value.order : data.order;
  let expanded = value?.expanded ?? data.expanded;
  let table, stops, head, made, silent; // of what is shown

  const [root, sentence] = [make("view"), readout()];
  const first = { ...data.shown, key: null, neuron: null };
  known[nameOf(first)] = readHead(data.head, 0, layerOf(first));
  known[pathOf(first)] = data.states;
  const all = Object.values(layers).flat();
  const options = { part: Object.keys(layers), layer: all.map(({ layer }) => layer), head: all.flatMap(headsOf), neurons: Object.keys(ORDERS) };
  const menus = Object.entries(options).map(([name, found]) => {
    const items = [...new Set(found)];
    const menu = choice(name[0].toUpperCase() + name.slice(1), items.map((item) => [item, ORDERS[item] ?? `${item}`]), null, (item) => choose(name, item));
    return { ...menu, name, items };
  });
  const bar = make("view-bar", ...menus.map((menu) => menu.element), legend("Strips, own scales", "−", "+").element);
  bar.append(hint("↑ ↓ token", "← → neuron", "Shift+↑ ↓ key", "Shift+← → scroll", "Enter pins", "Esc lets go"), switcher("Expanded", expanded, (on) => set(() => (expanded = on))));
  root.append(sentence.element, bar);
  const restored = value?.token === undefined ? null : itemOf(value, first);
  const state = selection({ current: restored ?? first, pinned: Boolean(restored) && value.pinned !== false, changed });
  onRepaint(() => paint((table.ink = null)));
  draw();
  return Object.assign(root, { show, follow });

  /** Returns what is named, as a selection, or null where there is no such thing; what is left out is as in `base`. */
  function itemOf(named, base = state.current) {
    const item = { ...first };
    for (const name of ["part", "layer", "head", "token"]) item[name] = named[name] ?? base[name];
    const there = (number, [from, to]) => Number.isInteger(number) && number >= from && number < to;
    const one = layerOf(item);
    if (!one || !headsOf(one).includes(item.head) || !there(item.token, places[item.part].queries)) return null;
    if (there(named.key, places[item.part].keys)) item.key = named.key;
    if (there(named.neuron, [0, data.head.query.shape[2]])) item.neuron = named.neuron;
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
    state.step(itemOf(wanted) ?? itemOf({ ...wanted, layer: one.layer, head: headsOf(one)[0], token: places[wanted.part].queries[1] - 1 }));
  }

  async function load(now) {
    const [one, path] = [layerOf(now), pathOf(now)];
    const [group, own] = Object.entries(one.groups).find(([, own]) => own.includes(now.head));
    try {
      const found = await piece(`${path}-${group}`);
      if (data.states && now.part === first.part) known[path] ??= await piece(`${path}-states`);
      known[nameOf(now)] = readHead(found, own.indexOf(now.head), one);
      draw();
    } catch {
      const sorry = `Layer ${now.layer}, head ${now.head} could not be loaded.`;
      if (nameOf(glimpse ?? state.current) === nameOf(now)) sentence.say([sorry], sorry);
    }
  }

  function build(part) {
    const next = columns(tokens, places[part], Boolean(data.states));
    const { scroller, list, items } = next;
    if (table) table.element.replaceWith(next.element);
    else sentence.element.after(next.element);
    table = Object.assign(next, { part, from: places[part].keys[0] });
    stops = roving(list, items, walk, (i) => state.step({ ...state.current, token: at(i).token }));
    pointing(list, items, { point: (i) => look(i === null ? i : at(i)), press: (i) => (stops.rest(i), state.toggle(at(i))), escape: () => (look(null), state.release()) });
    list.addEventListener("keydown", across);
    scroller.addEventListener("pointermove", (event) => event.pointerType === "touch" || list.contains(event.target) || look(under(event)));
    scroller.addEventListener("pointerleave", () => look(null));
    scroller.addEventListener("click", (event) => {
      const found = under(event);
      if (found) state.toggle(found);
    });
    new ResizeObserver(paint).observe(scroller);
  }

  function at(i) {
    const token = places[table.part].queries[0] + i;
    return token === state.current.token ? state.current : { ...state.current, token, key: null, neuron: null };
  }

  function walk(i, { key, shiftKey }) {
    const sideways = expanded ? {} : { ArrowLeft: i - 1, ArrowRight: i + 1 };
    return shiftKey ? undefined : { ...sideways, ArrowUp: i - 1, ArrowDown: i + 1, Home: 0, End: table.items.length - 1 }[key];
  }

  /** Left and right walk the neurons in the order that is shown, up and down with Shift the keys; with Shift left and right scroll. */
  function across(event) {
    const sideways = /^Arrow[LR]/.test(event.key);
    if (!made || !/^Arrow/.test(event.key) || !(sideways ? expanded : event.shiftKey)) return;
    event.preventDefault();
    if (sideways && event.shiftKey) return table.turn(event.key === "ArrowLeft" ? -1 : 1);
    const { key, neuron } = state.current;
    const step = (list, item) => list[Math.min(Math.max(list.indexOf(item) + (/Left|Up/.test(event.key) ? -1 : 1), 0), list.length - 1)];
    if (sideways) state.step({ ...state.current, neuron: step(made.order, neuron) });
    else state.step({ ...state.current, key: key === null ? table.from + made.strongest[0] : step(range(...places[table.part].keys), key) });
    table.reveal(sideways ? null : state.current.key - table.from);
  }

  /** Returns what is under the pointer: of the token that is shown a key, a neuron, or both. */
  function under({ target, clientX, clientY }) {
    const column = target.closest("[data-column]");
    const name = column?.dataset.column;
    if (!made || !name || /from|links/.test(name)) return null;
    const { left, top } = column.querySelector(".cells").getBoundingClientRect();
    const key = target.closest(".cells") && table.from + Math.floor((clientY - top) / table.row);
    const neuron = /^[kp]/.test(name) ? made.order[Math.floor((clientX - left) / table.cell)] : null;
    const found = itemOf({ ...state.current, key, neuron });
    return found.key === null && found.neuron === null ? null : found;
  }

  /** Hover: follows the pointer; while something is pinned, what is under it is shown until it leaves. */
  function look(to) {
    if (!state.pinned) return state.preview(to ?? { ...state.current, key: null, neuron: null });
    glimpse = to?.token === state.current.token ? to : null;
    draw();
  }

  /** Shows what prose names: a token, a neuron, or a head such as `self.5.1`; with `pin` pins it, or lets it go. */
  function show(named, { pin } = {}) {
    const [part, layer, head] = `${named?.head}`.split(".");
    const to = head ? { part, layer: +layer, head: +head } : named;
    const found = to && Object.keys(to).some((name) => Object.hasOwn(first, name)) ? itemOf(to) : null;
    if (pin && found) return state.toggle(found);
    glimpse = found;
    draw();
  }

  /** Shows the head and the token that another figure shows, where they are built; nothing is pinned or told for it. */
  function follow({ part, layer, head, token }) {
    const found = itemOf({ part, layer, head, token }) ?? itemOf({ part, layer, head }) ?? itemOf({ token }) ?? state.current;
    const known = ["part", "layer", "head", "token"].every((name) => found[name] === state.current[name]);
    silent = true;
    if (!known) state.step(found); // else a key and a neuron stay
    silent = false;
  }

  function paint() {
    const now = glimpse ?? state.current;
    if (!made || !table.scroller.clientWidth) return;
    table.paint(head, made, known[pathOf(now)]);
    mark(now);
  }

  function mark({ key, neuron }) {
    table.mark(made && neuron !== null ? made.order.indexOf(neuron) : null, key === null ? null : key - table.from);
  }

  function draw() {
    const now = glimpse ?? state.current;
    const { queries, causal, windows, layers: numbers } = places[now.part];
    const [q, of] = [now.token - queries[0], `${nameOf(now)} ${now.token}`];
    root.value = { ...state.current, order, expanded, pinned: state.pinned };
    root.dataset.expanded = expanded;
    root.style.setProperty("--hue", category(now.head + 1));
    if (table?.part !== now.part) build(now.part);
    for (const { name, element, items, set } of menus) {
      set(now[name] ?? order);
      element.hidden = items.length < 2 || !(expanded || now[name]);
    }
    if (head !== known[nameOf(now)]) table.ink = null; // a head has its colour
    head = known[nameOf(now)];
    table.scroller.ariaBusy = !head;
    if (!head) {
      made = null;
      load(now);
    } else if (made?.of !== of) {
      const window = windows[numbers.indexOf(now.layer)] ?? Infinity;
      const behind = (k) => now.token - table.from - k;
      made = { of, ...attend(head, q, (_, k) => !causal || (behind(k) >= 0 && behind(k) < window)) };
      const all = range(head.keys).filter((k) => made.seen[k]);
      const among = causal && all.length > 3 ? all.filter(Boolean) : all; // the first takes attention whatever it is
      made.parts = parts(made, head, among, order === "distance" ? among.map((k) => -Math.abs(behind(k))) : null);
      made.strongest = sort(all, (k) => -made.weights[k]);
      made.order = order === "index" ? range(head.width) : sort(range(head.width), (j) => -Math.abs(made.parts[j]));
      paint();
    }
    table.items.forEach((item, i) => {
      item.classList.toggle("is-selected", i === q);
      item.ariaPressed = i === q && state.pinned;
    });
    if (!table.list.contains(document.activeElement)) stops.rest(q);
    mark(now);
    sentence.say(tell(now, quoted), tell(now, spoken).join(""), state.pinned && !glimpse);
  }

  /** Returns the sentence on a selection; `chip` writes the texts of tokens. */
  function tell({ layer, head: h, token, key, neuron }, chip) {
    const who = chip(texts[token]);
    const k = key - table.from;
    if (!made) return [who, ` at position ${token}: layer ${layer}, head ${h} is on its way.`];
    const { weights, dots } = made;
    if (neuron !== null) {
      const [a, b, part] = [made.query[neuron], head.key[k * head.width + neuron], made.parts[neuron]];
      const here = key === null ? [" for "] : [` × k ${short(b)} = ${short(a * b)} at `, chip(texts[key]), `, of q·k ${short(dots[k])} for `];
      const role = order === "distance" ? `changes the score by ${short(part)} a token nearer` : `makes ${part < 0 ? "−" : ""}${percent(Math.abs(part))} of the differences between scores`;
      return [`Neuron ${neuron}: q ${short(a)}`, ...here, who, `. It ${role}.`];
    }
    if (key !== null && !made.seen[k]) return [who, " does not see ", chip(texts[key]), ` at position ${key}.`];
    if (key !== null) return [who, " at ", chip(texts[key]), `: q·k ${short(dots[k])}, scaled ${short(made.scores[k])}, softmax ${percent(weights[k])}; value’s length ${short(made.lengths[k])}, weighted ${short(made.shares[k])}.`];
    const most = made.strongest.slice(0, 3).flatMap((k) => [", ", chip(texts[k + table.from]), ` ${percent(weights[k])}`]);
    return [who, ` at position ${token} looks at `, ...most.slice(1), ` in layer ${layer}, head ${h}.`];
  }
}

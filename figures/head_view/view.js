/** Head view: two columns of tokens, and lines from each to those it attends to, a colour a head (Vig 2019). */
import { range } from "d3";
import { layerReader, sideOf } from "../shared/attention.js";
import { between } from "../shared/between.js";
import { choice } from "../shared/choice.js";
import { select } from "../shared/following.js";
import { heads } from "../shared/heads.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { lines } from "../shared/lines.js";
import { pointing } from "../shared/pointing.js";
import { readout } from "../shared/readout.js";
import { roving } from "../shared/roving.js";
import { selection } from "../shared/selection.js";
import { strip, stripKey } from "../shared/strip.js";
import { switcher } from "../shared/switch.js";
import { quoted, spoken } from "../shared/text.js";
import { groupedUnits, positions } from "../shared/units.js";
import { filtersOf, groupOf } from "./filter.js";
import { named, told } from "./told.js";

const PARTS = { encoder: "encoder", decoder: "decoder", cross: "decoder → encoder" };
const SIDES = ["from", "to"]; // the left column, and the right one
const LABELS = ["Attending tokens", "Attended tokens"];
const PAGE = 10; // rows

/**
 * Returns an element whose `value` is `{ part, layer, head, heads, token, side, filter, first, words, pinned }`: `head` is
 * the one that is alone, `heads` those that are on, as `0-3-7` (null for all, or read `all`), `token` the selected position, on the `side`
 * that attends (`from`) or is attended to (`to`), `filter` two groups of tokens, `first` whether lines to the first token
 * are drawn. It emits `input` when that changes; `follow({ part, layer, head, token })` changes it without.
 */
export default function headView(data, { value = {}, piece } = {}) {
  const { tokens, parts, shown } = data;
  const names = Object.keys(parts);
  const read = layerReader(data, piece);
  const own = { part: shown.part, layer: shown.layer, heads: shown.heads, filter: null, first: !data.exclude_first, words: false };
  let held = null; // what was shown before prose pinned a head or a layer
  let pointed = null; // what prose points at
  let seen = own; // what is drawn
  let silent = false;
  let wanted, laid, weights, sides, stops, marked;

  const known = Object.fromEntries(names.map((name) => [name, controls(parts[name])]));
  const sentence = readout();
  const canvas = make("div", "lines");
  const picture = lines(canvas);
  const kind = choice("Attention", names.map((name) => [name, PARTS[name] ?? name]), "", (part) => set(inPart(part)));
  const [sink, join] = [
    switcher("Leave out the first token", false, (out) => set({ first: !out })),
    switcher("Merge into words", false, (words) => set({ words })),
  ];
  const top = make("div", "head-top", sentence.element, make("div", "controls", ...(names[1] ? [kind.element] : []), ...names.map((name) => known[name].above)));
  const picks = make("div", "picks", ...names.map((name) => known[name].below), sink, join);
  const keys = hint("↑ ↓ tokens", "← → sides", "Enter pins", "Esc lets go", "Shift+Enter on a head: it alone");
  let body = make("div", "columns");
  const root = make("div", "view", top, body, make("div", "view-bar", legend("weight", "0%", "100%").element, ...stripKey(tokens), picks, keys));
  join.hidden = groupedUnits(tokens, "words").length === groupedUnits(tokens, "tokens").length;

  const start = restore();
  let rest = value.pinned ? null : start; // what is selected while a pointer is on nothing: an author's choice, or another view's
  const state = selection({ current: start, pinned: start !== null && start.token === value.token, changed: () => (draw(), emit()) });
  root.addEventListener("keydown", ({ key }) => key === "Escape" && escape()); // from the controls too
  Object.assign(root, { show, follow });
  lay();
  turn();
  return root;

  /** The columns of a part, and what is chosen of it alone. */
  function controls(part) {
    const columns = ["queries", "keys"].map((side) => sideOf(data, part, side));
    const filters = filtersOf(...columns, part.causal);
    const layer = choice("Layer", part.layers.map((number) => [number, `${number}`]), "", (layer) => set({ layer }));
    const filter = choice("Show", [[null, "all"], ...filters], "", (filter) => set({ filter }));
    const squares = heads(part.n_heads, [], (on) => set({ heads: on.length < part.n_heads ? on : null }));
    if (names[1]) for (const { element } of [layer, filter]) element.dataset.own = ""; // a gallery has no place for those of three parts
    const above = make("div", "controls", ...(part.layers[1] === undefined ? [] : [layer.element]), squares.element);
    return { columns, filters, layer, filter, squares, above, below: make("div", "", ...(filters.length ? [filter.element] : [])) };
  }

  /** Takes what it knows of an address, or what the author chose; returns what is selected. */
  function restore() {
    const before = { ...own };
    if (Object.hasOwn(parts, value.part)) Object.assign(own, inPart(value.part));
    if (parts[own.part].layers.includes(value.layer)) own.layer = value.layer;
    const some = value.heads === "all" ? range(parts[own.part].n_heads) : `${value.heads ?? value.head}`.split("-").map(Number);
    const on = value.heads === "none" ? [] : [...new Set(some)];
    if (on.every((h) => hasHead(own.part, h))) own.heads = on.length < parts[own.part].n_heads ? on : null;
    if (known[own.part].filters.some(([filter]) => filter === value.filter)) own.filter = value.filter;
    for (const name of ["first", "words"]) if (typeof value[name] === "boolean") own[name] = value[name];
    const item = itemOf(value, own.part);
    if (!value.pinned) return itemOf(shown, own.part);
    if (!item && JSON.stringify(before) !== JSON.stringify(own)) held = before;
    return item;
  }

  function hasHead(part, head) {
    return Number.isInteger(head) && head >= 0 && head < parts[part].n_heads;
  }

  /** Returns a position on the side that is asked for, or on the other one if it stands only there. */
  function itemOf(item, part) {
    const at = Number(item?.side === "to");
    const side = [at, 1 - at].find((s) => known[part].columns[s].some(({ position }) => position === item?.token));
    return side === undefined ? null : { token: item.token, side: SIDES[side] };
  }

  /** What is shown of another part: the layer of that number, if it has one, and the same heads. */
  function inPart(part) {
    const { layers } = parts[part];
    const layer = layers.includes(own.layer) ? own.layer : layers[Math.floor(layers.length / 2)];
    return { part, layer, heads: own.heads?.every((h) => hasHead(part, h)) ? own.heads : null, filter: part === own.part ? own.filter : null };
  }

  function set(change) {
    Object.assign(own, change);
    turn();
    emit();
  }

  function emit() {
    if (!silent) root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Shows what is wanted, once its weights are there. */
  async function turn() {
    const want = (wanted = { ...own, ...pointed });
    settle();
    const found = await read(want.part, want.layer).catch(() => null);
    if (want !== wanted) return;
    if (!found) return say([`Layer ${want.layer} could not be loaded.`]);
    seen = want;
    lay();
    weights = between(found, ...sides.map(({ units }) => units), want);
    sides.forEach(({ chips }, s) => chips.forEach((chip, i) => chip.classList.toggle("is-later", !inFilter(s, i))));
    picture.set({ weights, shown: on(), allowed });
    draw();
  }

  /** Puts the controls as they should stand, and the value. */
  function settle() {
    const { part, layer, heads: chosen, filter, first, words } = wanted;
    for (const name of names) known[name].above.hidden = known[name].below.hidden = name !== part;
    kind.set(part);
    known[part].layer.set(layer);
    known[part].filter.set(filter);
    known[part].squares.set(chosen ?? range(parts[part].n_heads));
    sink.firstChild.checked = !first;
    join.firstChild.checked = words;
    tellValue();
  }

  function tellValue() {
    const item = itemOf(state.current, own.part);
    const pinned = Boolean((item && state.pinned) || held);
    const alone = own.heads?.length === 1 ? own.heads[0] : null;
    root.value = { ...own, head: alone, heads: own.heads && (own.heads.join("-") || "none"), token: null, side: null, ...item, pinned };
  }

  function on() {
    return seen.heads ?? range(parts[seen.part].n_heads);
  }

  function inFilter(s, i) {
    return !seen.filter || seen.filter.split("-")[s] === sides[s].groups[i];
  }

  function allowed(i, j) {
    return inFilter(0, i) && inFilter(1, j);
  }

  /** Lays the columns of a part, unless they are there. */
  function lay() {
    const key = `${seen.part} ${seen.words}`;
    if (key === laid) return;
    laid = key;
    sides = known[seen.part].columns.map((list, s) => {
      const units = groupedUnits(list, seen.words ? "words" : "tokens");
      return { ...strip(units, list, { choosable: () => true, label: LABELS[s] }), list, units, groups: units.map(({ start }) => groupOf(list[start])) };
    });
    const [from, to] = sides.map(({ chips }) => chips);
    const items = [...from, ...to];
    const n = from.length;
    const place = (index) => {
      const s = Number(index >= n);
      return { token: sides[s].list[sides[s].units[index - s * n].start].position, side: SIDES[s] };
    };
    const next = make("div", "columns", sides[0].element, canvas, sides[1].element);
    body.replaceWith(next);
    [body, marked] = [next, null];
    stops = roving(body, items, (index, { key }) => {
      const right = index >= n;
      const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -PAGE, PageDown: PAGE, Home: -Infinity, End: Infinity }[key];
      if (step) return Math.min(right ? items.length - 1 : n - 1, Math.max(right ? n : 0, index + step));
      if (key === "ArrowRight" && !right) return Math.min(index + n, items.length - 1);
      if (key === "ArrowLeft" && right) return Math.min(index - n, n - 1);
    }, (index) => state.step(place(index)));
    pointing(body, items, {
      point: (index) => state.preview(index === null ? rest : place(index)),
      press: (index) => (stops.rest(index), state.toggle(place(index))),
      escape: () => {},
    });
  }

  function escape() {
    Object.assign(own, held);
    held = rest = null;
    state.release();
    state.preview(null);
    set({});
  }

  /** Returns what prose names of a layer or a head: `5`, `5.1`, or `cross.5.1`. */
  function aimed({ layer, head }) {
    const [, part = own.part, l, h] = /^(?:([a-z]+)\.)?(\d+)(?:\.(\d+))?$/.exec(head ?? layer) ?? [];
    if (!parts[part]?.layers.includes(Number(l))) return null;
    return { ...inPart(part), layer: Number(l), ...(hasHead(part, Number(h)) ? { heads: [Number(h)] } : {}) };
  }

  /** Shows what prose names as if it were pointed at, or pins it. */
  async function show(part, { pin = false } = {}) {
    const item = part && itemOf(part, own.part);
    const place = part && !item && aimed(part);
    pointed = pin ? null : (item && { item }) || place || null;
    if (pin && item) state.toggle(item);
    if (pin && place) {
      const before = { ...own };
      const again = held && JSON.stringify({ ...own, ...place }) === JSON.stringify(own);
      Object.assign(own, again ? held : place);
      held = again ? null : (held ?? before);
    }
    await turn();
    if (pin) emit();
  }

  /** Selects what another view has selected, as far as it is known here, and says nothing of it. */
  function follow({ part, layer, head, token, side }) {
    if (Object.hasOwn(parts, part)) Object.assign(own, inPart(part));
    if (parts[own.part].layers.includes(layer)) own.layer = layer;
    if (hasHead(own.part, head)) own.heads = [head];
    const item = itemOf({ token, side }, own.part);
    [held, silent] = [null, true];
    if (item) select(state, (rest = item));
    silent = false;
    turn();
  }

  function draw() {
    tellValue();
    const item = itemOf(pointed?.item ?? state.current, seen.part);
    const s = SIDES.indexOf(item?.side);
    const row = item && sides[s].units.findIndex((unit) => positions(unit).some((i) => sides[s].list[i].position === item.token));
    const at = item && { side: item.side, row };
    marked?.classList.remove("is-selected");
    marked?.setAttribute("aria-pressed", "false");
    marked = item && sides[s].chips[row];
    marked?.classList.add("is-selected");
    marked?.setAttribute("aria-pressed", String(state.pinned && !pointed));
    if (at && !body.contains(document.activeElement)) stops.rest(s * sides[0].chips.length + row);
    picture.focus(at);
    if (weights) tell(at);
  }

  function tell(at) {
    const { part, layer } = seen;
    const { causal, n_heads, layers, windows = [] } = parts[part];
    const name = named(seen, n_heads, names[1] && (PARTS[part] ?? part));
    say(told(at, { name, weights, sides, causal, allowed, on: on(), first: seen.first, window: windows[layers.indexOf(layer)] }));
  }

  /** Says words, and texts of tokens, to eye and ear. */
  function say(words) {
    const said = (how) => words.map((word) => (word.text === undefined ? word : how(word.text)));
    sentence.say(said(quoted), said(spoken).join(""), root.value.pinned && !pointed);
  }
}

function make(tag, name, ...content) {
  const element = document.createElement(tag);
  element.className = name;
  element.append(...content);
  return element;
}

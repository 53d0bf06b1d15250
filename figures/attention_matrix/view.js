/** Attention matrix: a heat map of who looks at whom, in one head, or in the mean over heads, or over layers too. */
import { range } from "d3";
import { sideOf } from "../shared/attention.js";
import { choice } from "../shared/choice.js";
import { select } from "../shared/following.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { pointing } from "../shared/pointing.js";
import { readout } from "../shared/readout.js";
import { roving } from "../shared/roving.js";
import { selection } from "../shared/selection.js";
import { switcher } from "../shared/switch.js";
import { quoted, spoken, textOf } from "../shared/text.js";
import { tooltip } from "../shared/tooltip.js";
import { groupedUnits } from "../shared/units.js";
import { matrixReader } from "./matrix.js";
import { plot } from "./plot.js";
import { about, named, share } from "./told.js";

const PARTS = { encoder: "encoder", decoder: "decoder", cross: "decoder → encoder" };
const MEAN = "mean";

/**
 * Returns an element whose `value` is `{ part, layer, head, first, words, token, to, pinned }`: `layer` and `head` are numbers
 * or `mean`, `token` the position that attends and `to` the one that is attended to, null where none is selected, `first`
 * whether the first token is shown, and `words` whether tokens are merged into words. It emits `input` when that changes;
 * `follow({ part, layer, head, token })` changes it without.
 */
export default function attentionMatrix(data, { value = {}, piece } = {}) {
  const { parts, shown } = data;
  const names = Object.keys(parts);
  const read = matrixReader(data, piece);
  const own = { part: shown.part, layer: shown.over === "layers" ? MEAN : shown.layer, head: shown.head ?? MEAN, first: !data.exclude_first, words: false };
  const plots = {}; // by part, of tokens or words, made when it is first shown
  let transient = null; // what prose points at: `{ part, layer, head }`, or `{ at }`
  let seen = own; // what is drawn
  let wanted, matrix, drawn, silent;

  const sentence = readout();
  const kinds = choice("Attention", names.map((name) => [name, PARTS[name] ?? name]), own.part, (part) => set(inPart(part)));
  const layers = each(({ layers, windows }) => choice("Layer", [[MEAN, "mean of all"], ...layers.map((layer, i) => [layer, windows[i] ? `${layer} · sees ${windows[i]} tokens` : `${layer}`])], own.layer, (layer) => set(layer === MEAN ? { layer, head: MEAN } : { layer })));
  const heads = each(({ n_heads: n }) => choice("Head", [[MEAN, `mean of ${n}`], ...range(n).map((h) => [h, `${h}`])], own.head, (head) => set({ head })));
  const sink = switcher("Leave out the first token", !own.first, (out) => set({ first: !out }));
  const join = switcher("Merge into words", false, (words) => set({ words }));
  const controls = make("div", "controls", ...(names[1] ? [kinds.element] : []), ...elements(layers), ...elements(heads));
  const bar = make("div", "view-bar", legend("weight, root scale", "0%", "100%").element, hint("↑ ↓ rows", "← → columns", "Enter pins", "Esc lets go"), sink, join);
  const room = make("div", "matrix");
  const root = make("div", "view", sentence.element, controls, room, bar);
  const tip = tooltip(root);
  join.hidden = groupedUnits(data.tokens, "words").length === data.tokens.length;
  take(value);
  const start = known(value);
  const state = selection({ current: start, pinned: start !== null && value.pinned !== false, changed: () => (draw(), emit()) });
  Object.assign(root, { show, follow });
  lay(own);
  turn();
  return root;

  function each(get) {
    return Object.fromEntries(names.map((name) => [name, get(parts[name])]));
  }

  /** Takes what it knows of an address, or of another view. */
  function take({ part, layer, head, first, words }) {
    if (Object.hasOwn(parts, part)) Object.assign(own, inPart(part));
    const { layers, n_heads } = parts[own.part];
    if ([MEAN, ...layers].includes(layer)) own.layer = layer;
    if ([own.layer, head ?? own.head].includes(MEAN) || head === null) own.head = MEAN;
    else if (range(n_heads).includes(head)) own.head = head;
    if (typeof first === "boolean") own.first = first;
    if (typeof words === "boolean") own.words = words;
  }

  /** What is shown of another part: the layer and the head of these numbers, if it has them. */
  function inPart(part) {
    const { layers, n_heads } = parts[part];
    const layer = [MEAN, ...layers].includes(own.layer) ? own.layer : layers[layers.length >> 1];
    return { part, layer, head: own.head < n_heads ? own.head : MEAN };
  }

  /** Returns positions of one that attends and one that is attended to, as far as they exist, or null. */
  function known({ token, to }) {
    const { queries, keys, causal } = parts[own.part];
    const [from, other] = [[token, queries], [to, keys]].map(([position, span]) => (range(...span).includes(position) ? position : null));
    if (from === null && other === null) return null;
    return { token: from, to: causal && from !== null && other > from ? null : other };
  }

  /** Returns `{ q, k }`, row and column of what is selected. */
  function place(at) {
    const [q, k] = [at?.token ?? null, at?.to ?? null].map((wanted, s) =>
      wanted === null ? null : drawn.sides[s].findIndex(({ position, size }) => wanted >= position && wanted < position + size),
    );
    return { q, k };
  }

  /** Returns what a row and a column stand for. */
  function item({ q, k }) {
    const [token, to] = [q, k].map((index, s) => drawn.sides[s][index]?.position ?? null);
    return { token, to };
  }

  function set(change) {
    if (change.part && change.part !== own.part) (state.release(), state.preview(null));
    Object.assign(own, change);
    turn();
    emit();
  }

  function emit() {
    if (!silent) root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Shows what is wanted, once its weights are there. */
  async function turn() {
    const want = (wanted = { ...own, ...transient, at: undefined });
    settle();
    const next = plotOf(want);
    const found = await read(want, next.units).catch(() => null);
    if (want !== wanted) return;
    const sorry = `Layer ${want.layer} could not be loaded.`;
    if (!found) return sentence.say([sorry], sorry);
    [seen, matrix] = [want, found];
    if (drawn !== next) lay(want);
    drawn.draw(matrix, want.first);
    draw();
  }

  /** Puts the controls as they should stand, and the value. */
  function settle() {
    const { part, layer, head, first, words } = wanted;
    kinds.set(part);
    layers[part].set(layer);
    heads[part].set(head);
    [sink.firstChild.checked, join.firstChild.checked] = [!first, words];
    const control = heads[part].element;
    (control.querySelector("select") ?? control).disabled = layer === MEAN;
    for (const name of names) layers[name].element.hidden = heads[name].element.hidden = name !== part;
    tellValue();
  }

  function tellValue() {
    root.value = { ...own, token: null, to: null, ...state.current, pinned: state.pinned };
  }

  function lay(want) {
    drawn = plotOf(want);
    room.replaceChildren(drawn.element);
  }

  function plotOf({ part, words }) {
    return (plots[`${part} ${words}`] ??= makePlot(part, words));
  }

  /** The tokens, or words, of a part at both sides, and what happens to them. */
  function makePlot(name, words) {
    const part = parts[name];
    const lists = ["queries", "keys"].map((side) => sideOf(data, part, side));
    const units = lists.map((list) => (words ? groupedUnits(list, "words") : list.map((_, start) => ({ start, size: 1 }))));
    const sides = units.map((found, s) => found.map(({ start, size, text }) => ({ ...lists[s][start], size, ...(size > 1 && { text, bytes: null }) })));
    const made = plot(sides, part.causal, { look, press });
    const { items, element } = made;
    const [rows, columns] = sides.map((side) => side.length);
    const stops = roving(element, items, along, (index) => state.step(item(index < rows ? cell(index, place(state.current).k) : line(index))));
    pointing(element, items, {
      point: (index) => look(index === null ? null : line(index)),
      press(index) {
        const here = place(state.current);
        stops.rest(index);
        press(here.q === index ? here : line(index));
      },
      escape,
    });
    element.addEventListener("keydown", across);
    stops.rest(rows - 1);
    return { part: name, units, sides, stops, ...made };

    function line(index) {
      return index < rows ? { q: index, k: null } : { q: null, k: index - rows };
    }

    /** Up and down the rows, along the columns; from the first row up to the columns, and from these down again. */
    function along(index, { key }) {
      if (index < rows) {
        if (key === "ArrowUp" && index === 0) return rows + (place(state.current).k ?? 0);
        return { ArrowUp: index - 1, ArrowDown: Math.min(index + 1, rows - 1), Home: 0, End: rows - 1 }[key];
      }
      return { ArrowLeft: Math.max(index - 1, rows), ArrowRight: Math.min(index + 1, rows + columns - 1), ArrowDown: 0, Home: rows, End: rows + columns - 1 }[key];
    }

    /** Left and right in a row. */
    function across(event) {
      const [q, step] = [items.indexOf(event.target), { ArrowLeft: -1, ArrowRight: 1 }[event.key]];
      if (!step || q < 0 || q >= rows || event.altKey || event.metaKey) return;
      event.preventDefault();
      const here = place(state.current);
      const k = here.q === q ? here.k : null;
      state.step(item(cell(q, k === null ? (step > 0 ? 0 : Infinity) : k + step)));
    }

    /** The cell of a row, as far as the row goes; to the left of it, the row itself. */
    function cell(q, k) {
      const end = part.causal ? q : columns - 1;
      return { q, k: k === null || k < 0 ? null : Math.min(k, end) };
    }
  }

  /** Hover: while something is pinned, only the card tells of what is under the pointer. */
  function look(at) {
    state.preview(at && item(at));
    drawn.look(at);
    card(at);
  }

  function press(at) {
    state.toggle(item(at), place);
  }

  function escape() {
    state.release();
    state.preview(null);
    look(null);
  }

  /** Returns what prose names of a layer or a head: `5`, `5.1`, or `cross.5.1`. */
  function aimed({ layer, head }) {
    const [, part = own.part, l, h] = /^(?:([a-z]+)\.)?(\d+)(?:\.(\d+))?$/.exec(head ?? layer) ?? [];
    if (!parts[part]?.layers.includes(Number(l))) return null;
    return { part, layer: Number(l), head: h < parts[part].n_heads ? Number(h) : MEAN };
  }

  /** Shows what prose names as if it were pointed at, or pins it. */
  async function show(part, { pin = false } = {}) {
    const at = part && (known(part) ?? known({ to: part.token }));
    const place = part && !at && aimed(part);
    transient = pin ? null : at ? { at } : place || null;
    if (pin && at) state.toggle(at);
    if (pin && place) return set(place);
    await turn();
  }

  /** Selects what another view has selected, as far as it is known here, and says nothing of it. */
  function follow({ part, layer, head, token } = {}) {
    silent = true;
    take({ part, layer, head });
    if (token !== undefined) {
      select(state, known({ token }) ?? known({ to: token }));
    }
    turn();
    silent = false;
  }

  function draw() {
    tellValue();
    const chosen = transient?.at ?? state.current;
    if (!matrix || (chosen && drawn.part !== own.part)) return;
    const at = place(chosen);
    const pinned = state.pinned && !transient;
    drawn.mark(at, pinned);
    if (chosen && !room.contains(document.activeElement)) drawn.stops.rest(at.q ?? drawn.sides[0].length + at.k);
    sentence.say(tell(at, quoted), tell(at, spoken).join(""), pinned);
  }

  function tell(at, chip) {
    return about(at, matrix, drawn.sides, chip, named(seen, parts[seen.part].n_heads));
  }

  function card(at) {
    if (!at || at.q === null || at.k === null || !matrix) return tip.hide();
    const [from, to] = drawn.sides.map((side, i) => quoted(textOf(side[i ? at.k : at.q])));
    const weight = document.createElement("b");
    weight.textContent = share(matrix.values[at.q * matrix.columns + at.k]);
    tip.show(drawn.spot, [weight, from, " → ", to], { beside: true });
  }
}

function elements(controls) {
  return Object.values(controls).map(({ element }) => element);
}

function make(tag, name, ...children) {
  const element = document.createElement(tag);
  element.className = name;
  element.append(...children);
  return element;
}

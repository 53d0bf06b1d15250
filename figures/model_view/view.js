/** Model view: every head of a model as a small picture; one of them, pinned, is drawn large with its tokens. */
import { mean, range, sort } from "d3";
import { layerReader, sideOf, unpackWeights } from "../shared/attention.js";
import { choice, menu } from "../shared/choice.js";
import { select } from "../shared/following.js";
import { whole } from "../shared/format.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { pointing } from "../shared/pointing.js";
import { readout } from "../shared/readout.js";
import { placeInGrid } from "../shared/roving.js";
import { pick, selection } from "../shared/selection.js";
import { readSpan, spanMenus, writeSpan } from "../shared/span.js";
import { textOf } from "../shared/text.js";
import { tooltip } from "../shared/tooltip.js";
import { weights } from "../shared/weights.js";
import { board } from "./board.js";
import { measures } from "./measures.js";

const ORDERS = [["grid", "layers × heads"], ["high", "highest first"], ["low", "lowest first"]];
const [CELL, EDGE] = [40, 2]; // px, as in the style sheet: cells in a row without columns, and the room beside the last
const DISPLAYS = ["matrix", "lines"];

/**
 * Returns an element whose `value` is `{ part, layer, head, measure, order, display, layers, heads, pinned }`: the head that
 * is selected (null while none is), what is told of each, and which rows and columns are shown, "4-9", null for all.
 * It emits `input` when that changes. `show({ head: "5.1" })` and `show({ layer: 5 })` are those of prose.
 */
export default function modelView(data, { value, piece, extent } = {}) {
  const { parts, shown } = data;
  const read = layerReader(data, piece);
  const [root, bar, scene, large, title, facts, key] = ["view", "view-bar", "scene", "large", "large-title", "large-facts", "view-key"].map((className) =>
    Object.assign(document.createElement("div"), { className }),
  );
  const sentence = readout();
  const boards = {}; // by part, made when it is first shown
  const row = document.createElement("tr"); // where a phone draws a head large: under its own row
  row.className = "unfolded";
  const room = Object.assign(row.insertCell(), { colSpan: 999 });
  let part = Object.hasOwn(parts, value?.part) ? value.part : shown.part;
  let display = DISPLAYS.includes(value?.display) ? value.display : data.display;
  let order = ORDERS.some(([key]) => key === value?.order) ? value.order : "grid";
  let measure = value?.measure ?? data.measure;
  let muted = false; // another figure asks, and need not be told
  let transient = null; // what prose points at
  let now; // the board that is shown
  let drawn; // the head that is drawn large
  let spans = spansOf(value);
  const radios = (label, names, chosen, changed) => choice(label, names.map((name) => [name, name]), chosen, changed);
  const names = Object.keys(parts);
  const kinds = radios("Attention", names, part, (to) => (escape(), turn(to), emit()));
  if (names.length > 1) bar.append(kinds.element);
  root.append(sentence.element, bar, scene);
  const tip = tooltip(root);
  const ramp = legend("", "0", "1").element;
  key.append(ramp);

  const restored = known(value);
  const state = selection({
    current: restored,
    pinned: Boolean(restored) && value.pinned !== false,
    changed() {
      transient = null;
      draw();
      emit();
    },
  });
  root.show = show;
  root.follow = follow;
  large.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    escape();
    now.element.querySelector("[tabindex='0']").focus();
  });
  let width;
  new ResizeObserver(() => width !== (width = root.clientWidth) && lay()).observe(root);
  turn(part);
  return root;

  /** Shows a part of the model: its board, its controls. */
  function turn(to) {
    if (part !== to) [part, spans] = [to, null];
    kinds.set(part);
    spans ??= spansOf();
    now = boards[part] ??= make(part);
    if (!Object.hasOwn(now.known, measure)) [measure, order] = ["none", "grid"];
    scene.replaceChildren(now.element, large);
    large.replaceChildren(title, facts, now.big.element);
    controls();
    lay();
    draw();
  }

  function make(of) {
    const { stats, thumbs } = parts[of];
    const [queries, keys] = ["queries", "keys"].map((side) => sideOf(data, parts[of], side).map(textOf));
    const made = board(`Heads, ${of}`, parts[of], (i) => state.step(at(i)));
    const known = measures(stats, extent);
    pointing(made.element, made.items, {
      point: (i) => (state.pinned ? point(i) : state.preview(i === null ? null : at(i))),
      press: (i) => (made.rest(i), state.toggle(at(i))),
      escape,
    });
    made.items.forEach((item, i) => at(i).head === null || (item.ariaLabel = named(at(i))));
    const found = { ...made, known, big: weights({ queries, keys }) };
    made.element.ariaBusy = true;
    unpackWeights(thumbs).then((unpacked) => {
      found.thumbs = unpacked;
      made.element.ariaBusy = false;
      if (now === found) lay(), draw();
    });
    return found;
  }

  function controls() {
    const change = (act) => (value) => (act(value), lay(), draw(), emit());
    const sorts = menu("Order", ORDERS, order, change((to) => {
      order = to;
      if (order !== "grid" && measure === "none") compares.set((measure = Object.keys(now.known).at(-1)));
    }));
    const compares = menu("Compare by", [["none", "nothing"], ...Object.entries(now.known).map(([key, { title }]) => [key, title])], measure, change((to) => {
      measure = to;
      if (measure === "none") sorts.set((order = "grid"));
    }));
    for (const old of [...bar.children]) if (old !== kinds.element) old.remove(); // who turns the model's part keeps the focus there
    bar.append(
      radios("Draw as", DISPLAYS, display, change((to) => (display = to))).element,
      compares.element,
      sorts.element,
      ...["layers", "heads"].filter((kind) => parts[part][kind].length > 1).map((kind) => spanMenus(`${kind[0].toUpperCase()}${kind.slice(1)}`, parts[part][kind], spans[kind], change((to) => (spans[kind] = to)))),
      key,
      hint("arrows move", "Enter pins", "Esc lets go"),
    );
  }

  /** Lays the cells out and paints them. */
  function lay() {
    const { layers, heads, windows } = parts[part];
    const [rows, columns] = [spans.layers, spans.heads].map(([from, to]) => range(from, to + 1));
    const cellsOf = (r) => columns.map((c) => r * heads.length + c);
    const { of, text, share } = now.known[measure] ?? {};
    const flat = order !== "grid";
    ramp.firstChild.textContent = display === "lines" ? "weight" : "weight, root scale";
    now.element.dataset.order = flat ? "flat" : "grid";
    now.element.toggleAttribute("data-told", Boolean(of));
    if (flat) {
      const sorted = sort(rows.flatMap(cellsOf), (i) => (order === "high" ? -of(i) : of(i)));
      const width = Math.max(1, Math.floor((now.element.clientWidth - EDGE) / CELL));
      now.arrange(range(0, sorted.length, width).map((start) => ({ cells: sorted.slice(start, start + width) })));
    } else now.arrange(rows.map((r) => ({ layer: layers[r], note: windows[r] && `window ${windows[r]}`, cells: cellsOf(r) })), columns.map((c) => heads[c]));
    if (now.thumbs) now.paint(now.thumbs, display, of && ((i) => ({ text: text(of(i)), share: share(of(i)), name: flat ? `${at(i).layer}.${at(i).head}` : "" })));
    place();
  }

  /** Returns a head by its index among the items of the board, or a layer, whose head is null. */
  function at(i) {
    const { layers, heads } = parts[part];
    const [r, c] = placeInGrid(i, layers.length, heads.length, layers.length);
    return { layer: layers[r], head: c === null ? null : heads[c] };
  }

  function indexOf({ layer, head }) {
    const { layers, heads } = parts[part];
    const r = layers.indexOf(layer);
    return head === null ? layers.length * heads.length + r : r * heads.length + heads.indexOf(head);
  }

  /** Returns a selection made of what exists in the part that is shown, or null. */
  function known(found) {
    const { layers, heads } = parts[part];
    const { layer, head = null } = found ?? {};
    return layers.includes(layer) && [null, ...heads].includes(head) ? { layer, head } : null;
  }

  /** Draws a head large: at once as its thumbnail; if that is coarse, and it is pinned, then with its weights when they come. */
  async function enlarge(head, whole) {
    drawn = head;
    const { dots, causal } = parts[part];
    const { big, thumbs } = now;
    const i = indexOf(head);
    title.textContent = named(head);
    facts.textContent = numbers([i]).join(" · ");
    if (!thumbs) return;
    paint(thumbs, i, dots, "Pin the head to read its weights.");
    if (!whole || dots.every((size) => size === 1)) return;
    try {
      const found = await read(part, head.layer);
      if (drawn === head) paint(found, head.head);
    } catch {
      const sorry = `The weights of layer ${head.layer} could not be loaded.`;
      if (drawn === head) paint(thumbs, i, dots, sorry, sorry);
    }

    function paint({ queries, keys, codes }, i, dots = [1, 1], coarse, heard) {
      const idle = dots.some((size) => size > 1) ? coarse : "Point at the picture to read its weights.";
      big.draw({ codes: codes.subarray(i * queries * keys, (i + 1) * queries * keys), dots, shape: [queries, keys], idle, heard }, display, causal);
    }
  }

  function escape() {
    state.release();
    state.preview(null);
  }

  /** Hover while something is pinned: only the card tells of the head under the pointer. */
  function point(i) {
    if (i === null) tip.hide();
    else tip.show(now.items[i], [sentenceOf(at(i))]);
  }

  function show(to, { pin = false } = {}) {
    const [layer, head] = `${to?.head ?? ""}`.split(".").map(Number);
    if (to && part !== shown.part) turn(shown.part);
    const found = to && known(head === undefined ? to : { layer, head });
    if (to && !found) return;
    transient = pin ? null : found;
    if (pin && found) state.toggle(found);
    else draw();
  }

  /** Selects what another figure has selected, and tells nobody. */
  function follow(to) {
    if (Object.hasOwn(parts, to?.part) && to.part !== part) turn(to.part);
    muted = true;
    select(state, known(to));
    muted = false;
  }

  function emit() {
    if (!muted) root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function draw() {
    const to = transient ?? state.current;
    const pinned = state.pinned && !transient;
    const { layer = null, head = null } = state.current ?? {};
    root.value = { part, layer, head, measure, order, display, layers: writeSpan(parts[part].layers, spans.layers), heads: writeSpan(parts[part].heads, spans.heads), pinned: state.pinned };
    for (const marked of now.element.querySelectorAll(".is-selected, .is-row")) marked.classList.remove("is-selected", "is-row");
    const item = to && now.items[indexOf(to)];
    const cell = to && to.head !== null ? item : null;
    cell?.classList.add("is-selected");
    item?.parentNode?.classList.add("is-row");
    now.element.classList.toggle("is-pinned", pinned);
    pick(now.element, pinned && item);
    const words = to ? sentenceOf(to) : overview();
    sentence.say([words], words, pinned);
    enlarge(cell ? to : part === shown.part ? shown : at(0), pinned || !cell);
    place();
    if (cell?.isConnected && !pinned && !beside()) tip.show(cell, [words]);
    else tip.hide();
  }

  /** Puts the large head beside the board where there is room, else below it, and once pinned under its own row. */
  function place() {
    const cell = state.pinned && state.current.head !== null && now.items[indexOf(state.current)];
    const own = cell?.parentNode; // none where the row is left out, or a layer is pinned
    if (own && row.previousSibling === own) return;
    if (large.parentNode !== scene) scene.append(large);
    row.remove();
    if (!own?.isConnected || beside()) return;
    own.after(row);
    room.append(large);
  }

  function beside() {
    return large.parentNode === scene && large.offsetTop < now.element.offsetTop + now.element.offsetHeight - 1;
  }

  function spansOf(from) {
    const { layers, heads } = parts[part];
    return { layers: readSpan(layers, from?.layers), heads: readSpan(heads, from?.heads) };
  }

  function overview() {
    const { layers, heads } = parts[part];
    return `${whole(layers.length * heads.length)} heads. Each picture has a row for every token that attends, and a column for every token that it attends to.`;
  }

  function sentenceOf({ layer, head }) {
    const { layers, heads, windows } = parts[part];
    const window = windows[layers.indexOf(layer)];
    const sees = window ? `, a window of ${window} tokens` : "";
    const own = (head === null ? heads : [head]).map((head) => indexOf({ layer, head }));
    return `${head === null ? `Layer ${layer}, all heads on average` : named({ layer, head })}${sees}: ${numbers(own).join(", ")}`;
  }

  function numbers(own) {
    return Object.values(now.known).map(({ of, said }) => said(mean(own, of)));
  }
}

function named({ layer, head }) {
  return `Layer ${layer} head ${head}`;
}

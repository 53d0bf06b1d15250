/** Layer predictions: the likeliest next tokens after every layer; the reader steps through the text. */
import { compact, percent, whole } from "../shared/format.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { pointing } from "../shared/pointing.js";
import { readout } from "../shared/readout.js";
import { alongLine, overGrid, roving, sideways } from "../shared/roving.js";
import { rows as folded } from "../shared/rows.js";
import { pick, selection } from "../shared/selection.js";
import { strip, stripKey } from "../shared/strip.js";
import { quoted, spoken, textOf, visible } from "../shared/text.js";
import { tooltip } from "../shared/tooltip.js";
import { tokenUnits } from "../shared/units.js";

const FEW = 12; // rows that leave room for a probability under its token
const LOST = "The predictions of this token could not be loaded.";

/**
 * Returns an element whose `value` is `{ position, layer, choice, pinned }`: of the token that is predicted, and the row
 * and column of a cell, null while none is looked at. It emits `input` when that changes; `options.value` restores it.
 */
export default function layerPredictions(data, { value, piece } = {}) {
  const { tokens, targets, layers, shown, top, ranks } = data;
  const bars = shown.length === 1; // one layer: a row a choice
  const [rows, columns] = bars ? [top, 1] : [shown.length, top];
  const blank = targets[0] === tokens.length;
  const root = make("div", "view");
  const sentence = readout();
  const units = tokenUnits(tokens);
  if (blank) units.push({ start: targets[0], size: 0, text: "", type: "output" });
  const label = "Tokens: choose one to see how it was predicted";
  const line = strip(units, tokens, { choosable: (unit) => targets.includes(unit.start), label });
  if (blank) line.chips.at(-1).dataset.blank = "";
  const [box, grid, body, cells] = table();
  const bar = make("div", "view-bar", ...stripKey(tokens), ...(bars ? [] : [legend("probability", "0%", "100%").element]));
  bar.append(make("span", "winner-key", "the token that comes next"));
  bar.append(hint("arrows move", "Shift ← → other tokens", "Enter pins", "Esc lets go"));
  bar.append(folded("Every token", ["position", "token", "probability", `among the first ${top} from`, "first from"], every).element);
  root.append(sentence.element, line.element, box, bar);
  const tip = tooltip(root);

  const steps = units.map((unit) => targets.indexOf(unit.start));
  const order = steps.filter((step) => step >= 0);
  const chips = line.chips.filter((_, u) => steps[u] >= 0);
  const first = targets.indexOf(value?.position);
  const row = shown.indexOf(value?.layer);
  const choice = row >= 0 && Number.isInteger(value.choice) && cells[value.choice] && value.choice < top ? value.choice : null;
  const state = selection({
    current: [Math.max(first, 0), row < 0 ? null : row, choice],
    pinned: first >= 0 && value.pinned !== false,
    changed,
  });
  let lent = null; // what prose asks to show, for as long as it is pointed at
  let drawn, got; // the step whose tokens stand in the table, and these; undefined while they are fetched
  const [along, over] = [alongLine(chips.length), overGrid(rows, columns)];
  const stops = roving(root, [...chips, ...cells], next, (i) => state.step(place(i)));
  pointing(root, [...chips, ...cells], {
    point(i) {
      if (state.pinned) look(i < chips.length ? null : place(i)); // null is less than any
      else state.preview(i === null ? [state.current[0], null, null] : place(i));
    },
    press(i) {
      stops.rest(i);
      state.toggle(place(i));
    },
    escape() {
      state.release();
      state.preview([state.current[0], null, null]);
    },
  });
  box.addEventListener("scroll", tip.hide, { passive: true });
  if (chips.length === 1) stops.rest(1);
  draw();
  /** Shows a layer, or the token at a position, until it is called with null; pins it where asked to. */
  root.show = (part, { pin = false } = {}) => {
    const [step, row] = [targets.indexOf(part?.token), shown.indexOf(part?.layer)];
    const found = step < 0 && row < 0 ? null : [step < 0 ? state.current[0] : step, row < 0 ? null : row, null];
    lent = pin ? null : found;
    if (pin && found) state.toggle(found);
    draw();
  };
  return root;

  /** Keys: along the chips, over the cells, up and down between them; with Shift to another token. */
  function next(i, event) {
    const [step, n, here] = [sideways(event, line.element), chips.length, order.indexOf(state.current[0])];
    if (i < n) return event.key === "ArrowDown" ? n : along(i, event);
    if (event.key === "ArrowUp" && i < n + columns) return here;
    const at = over(i - n, event);
    if (!step || !(event.shiftKey || bars)) return at === undefined ? at : n + at;
    if (order[here + step] !== undefined) state.step([order[here + step], ...state.current.slice(1)]);
  }

  function place(i) {
    if (i < chips.length) return [order[i], null, null];
    const [r, c] = [Math.floor((i - chips.length) / columns), (i - chips.length) % columns];
    return [state.current[0], bars ? 0 : r, bars ? r : c];
  }

  function changed() {
    draw();
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function draw() {
    const [step, r, c] = lent ?? state.current;
    const [at, row, choice] = state.current;
    root.value = { position: targets[at], layer: shown[row] ?? null, choice, pinned: state.pinned };
    line.chips.forEach((chip, u) => {
      chip.classList.toggle("is-selected", steps[u] === step);
      chip.classList.toggle("is-later", units[u].start > targets[step]);
      if (steps[u] >= 0) chip.setAttribute("aria-pressed", steps[u] === step && state.pinned);
    });
    pick(box, state.pinned && !lent && choice !== null ? cells[row * top + choice] : null);
    if (drawn !== step) fill(step);
    [...body.rows].forEach((line, i) => line.classList.toggle("is-row", !bars && i === r && c === null));
    look(c === null ? null : [step, r, c]);
    tell(step, r, c);
  }

  /** Puts the tokens of a step into the table; those of a far one are fetched, and the old ones fade meanwhile. */
  function fill(step) {
    got = data.steps[step] && { winner: data.winners[step], vocabulary: data.vocabulary, ...data.steps[step] };
    drawn = got ? step : undefined;
    box.setAttribute("aria-busy", !got);
    if (!got) {
      piece?.(`step-${targets[step]}`).then(
        (loaded) => {
          data.steps[step] = loaded;
          draw();
        },
        () => (lent ?? state.current)[0] === step && sentence.say([LOST], LOST),
      );
      return;
    }
    let before = -1;
    got.tokens.forEach((row, r) => {
      const own = row.indexOf(got.winner);
      row.forEach((v, c) => {
        const [cell, text, share] = [cells[r * top + c], got.vocabulary[v], got.probabilities[r][c]];
        cell.replaceChildren(make("span", "name", visible(text)), make("span", "share", percent(share)));
        cell.style.setProperty("--s", share.toFixed(3));
        cell.classList.toggle("is-winner", c === own);
        cell.classList.toggle("is-joined", c === own && before >= 0);
        cell.style.setProperty("--from", before - c); // a line in the gap joins it to its place in the row before
      });
      before = own;
      if (!bars) body.rows[r].cells[1].textContent = compact(ranks[shown[r]][step]);
    });
    if (!bars) grid.querySelector(".own").replaceChildren(visible(following(step)));
  }

  /** Marks a cell's token wherever it stands, and shows its card. */
  function look(at) {
    const v = at && got?.tokens[at[1]][at[2]];
    const all = got?.tokens.flat() ?? [];
    const here = at && cells[at[1] * top + at[2]];
    cells.forEach((cell, i) => {
      cell.classList.toggle("is-same", all[i] === v);
      cell.classList.toggle("is-looked-at", cell === here);
    });
    if (v === null || v === undefined) return tip.hide();
    const [share, text] = [make("b", "", percent(got.probabilities[at[1]][at[2]])), quoted(got.vocabulary[v])];
    tip.show(here, [share, text, ` no. ${at[2] + 1} of ${whole(data.vocab_size)} after ${layer(at[1])}`]);
  }

  function tell(step, r, c) {
    const pinned = state.pinned && !lent;
    if (got && c !== null) {
      const v = got.tokens[r][c];
      const rest = `: no. ${c + 1} after ${layer(r)}, ${percent(got.probabilities[r][c])}. `;
      const where = `Among the first ${top} in ${got.tokens.filter((row) => row.includes(v)).length} of ${rows} rows.`;
      return sentence.say([quoted(got.vocabulary[v]), rest, bars ? "" : where], spoken(got.vocabulary[v]) + rest + where, pinned);
    }
    const [before, text] = [textOf(tokens[targets[step] - 1]), following(step)];
    const end = ` (${percent(data.probabilities.at(-1)[step])}). ${course(step)}`;
    const comes = blank ? " would come " : " comes ";
    sentence.say(["After reading … ", quoted(before), comes, quoted(text), end], `After reading ${spoken(before)}${comes}${spoken(text)}${end}`, pinned);
  }

  /** Returns how the token that comes next came to the top. */
  function course(step) {
    const [enters, settles] = [data.enters[step], data.settles[step]];
    if (enters === null) return `It ends at rank ${whole(ranks.at(-1)[step])}.`;
    const parts = enters === settles ? [] : [`is among the first ${top} from ${layer(enters, layers)} on`];
    if (settles !== null) parts.push(`stays first from ${layer(settles, layers)} on`);
    return `It ${parts.join(" and ")}.`;
  }

  /** Returns how each token came to the top, for a table. */
  function every() {
    const since = (row) => (row === null ? "–" : layer(row, layers));
    return targets.map((position, step) => [`${position}`, quoted(following(step)), percent(data.probabilities.at(-1)[step]), since(data.enters[step]), since(data.settles[step])]);
  }

  function following(step) {
    return blank ? data.vocabulary[data.winners[step]] : textOf(tokens[targets[step]]);
  }

  function layer(row, names = shown.map((r) => layers[r])) {
    return isNaN(names[row]) ? `the ${names[row]}` : `layer ${names[row]}`;
  }

  /** Builds the table: layers by choices, the winner's rank beside the layers; cells row by row, empty yet. */
  function table() {
    const grid = make("table");
    const box = make("div", "predictions", grid);
    box.toggleAttribute("data-bars", bars);
    box.toggleAttribute("data-few", bars || rows <= FEW);
    box.style.setProperty("--columns", top);
    grid.setAttribute("role", "grid");
    grid.setAttribute("aria-label", "Likeliest next tokens");
    const numbers = Array.from({ length: top }, (_, i) => `${i + 1}.`);
    const names = bars ? numbers : shown.map((row) => (layers[row] === "0" ? "layer 0" : layers[row]));
    if (!bars) {
      const own = head("rank of ");
      own.append(make("span", "own"));
      grid.createTHead().insertRow().append(make("td"), own, ...numbers.map((number) => head(number)));
    }
    const body = grid.createTBody();
    const cells = names.flatMap((name) => {
      const row = body.insertRow();
      row.append(head(name, "row"), ...(bars ? [] : [make("td", "own-rank")]));
      return Array.from({ length: columns }, () => {
        const cell = make("td", bars ? "prediction" : "prediction is-shaded");
        cell.tabIndex = -1;
        row.append(cell);
        return cell;
      });
    });
    return [box, grid, body, cells];
  }
}

function make(tag, name = "", ...content) {
  const element = document.createElement(tag);
  element.className = name;
  element.append(...content);
  return element;
}

function head(text, scope = "col") {
  const th = make("th", "", text);
  th.scope = scope;
  return th;
}

/** A span of a row of numbers, such as layers 4 to 9: two menus, its first and its last. */
import { quiet } from "./choice.js";

/** Returns them; `ends` are places among `numbers`, as are those that `changed([from, to])` gets. An end pushes the other. */
export function spanMenus(label, numbers, ends, changed) {
  const element = document.createElement("span");
  element.className = "choice span";
  const menus = ends.map((at, end) => {
    const menu = document.createElement("select");
    menu.ariaLabel = `${end ? "last" : "first"} of the ${label.toLowerCase()}`;
    menu.append(...numbers.map((number, i) => new Option(number, i, false, i === at)));
    quiet(menu, () => {
      const other = menus[1 - end];
      const places = [menu.selectedIndex, other.selectedIndex];
      other.selectedIndex = end ? Math.min(...places) : Math.max(...places);
      changed(menus.map((each) => each.selectedIndex));
    });
    return menu;
  });
  element.append(label, " ", menus[0], " to ", menus[1]);
  return element;
}

/** Reads "4-9" as the places of its ends among numbers; all of them for anything else. */
export function readSpan(numbers, text) {
  const ends = /^(\d+)-(\d+)$/.exec(text)?.slice(1).map((number) => numbers.indexOf(Number(number)));
  return ends?.[0] >= 0 && ends[1] >= ends[0] ? ends : [0, numbers.length - 1];
}

/** Writes it; null where it is all of them. */
export function writeSpan(numbers, [from, to]) {
  return to - from === numbers.length - 1 ? null : `${numbers[from]}-${numbers[to]}`;
}

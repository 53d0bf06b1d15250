/** A folded table: what a drawing shows, for those who read it rather than look, by keyboard, by ear or on paper. */

/**
 * Returns `{ element, refresh }`. `heads` name the columns; `list()` returns the rows, each a list of texts or nodes that
 * begins with what names it. It is asked once the table is open, and by `refresh()` again.
 */
export function rows(title, heads, list) {
  const element = make("details");
  const table = make("table");
  const body = make("tbody");
  element.className = "rows";
  table.createTHead().insertRow().append(...heads.map((text) => header("col", text)));
  table.append(body);
  element.append(make("summary", title), table);
  element.addEventListener("toggle", refresh);
  return { element, refresh };

  function refresh() {
    if (!element.open) return;
    body.replaceChildren(...list().map(([name, ...cells]) => make("tr", header("row", name), ...cells.map((cell) => make("td", cell)))));
  }
}

function header(scope, text) {
  return Object.assign(make("th", text), { scope });
}

function make(tag, ...children) {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}
